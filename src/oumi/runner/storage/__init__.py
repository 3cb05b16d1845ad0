"""What a run leaves on disk: journal, output, failures, summary."""
