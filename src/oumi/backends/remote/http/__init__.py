"""The HTTP side of an API: transport, replicas, uploads, rate-limit headers."""
