"""Embeddings: of lists and of files, of the model in the package and behind APIs."""
