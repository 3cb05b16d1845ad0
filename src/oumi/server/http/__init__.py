"""What all endpoints have in common: requests in, replies out, keys, errors."""
