"""The languages of the APIs: pure functions from a request to a body and from a reply back."""
