"""Keys of clients: who is let in, how much each may ask, and what each has spent."""
