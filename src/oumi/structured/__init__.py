"""What answers have to look like, for whichever engine."""
