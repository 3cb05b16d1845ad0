"""The error of this package."""

from __future__ import annotations


class SchemaNotSupportedError(Exception):
    """A schema cannot be rewritten for a provider; the message names the keyword in the way.

    Never raised to a user: the schema then goes to the provider in the profile's fallback mode.
    """
