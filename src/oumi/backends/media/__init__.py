"""What rows name outside of themselves: images in files and on the web, read as settings allow."""
