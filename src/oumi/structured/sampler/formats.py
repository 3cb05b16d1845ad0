"""What a sampler is told of each `format` of the specification.

https://json-schema.org/draft/2020-12/json-schema-validation#section-7.3
"""

from __future__ import annotations

OF_SAMPLERS = frozenset(
    {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"}
)
"""Those that every version of llguidance in use knows. Some also know `uri`."""

CHECKED_ONLY = frozenset({"idn-email", "idn-hostname", "regex", "uri-template"})
"""Those of the specification that no short expression describes."""

# The grammar of URIs: https://www.rfc-editor.org/rfc/rfc3986#appendix-A
_ESCAPED = "%[0-9A-Fa-f]{2}"
_ASCII = r"A-Za-z0-9._~!$&'()*+,;=\-"


def _uri(letters: str, *, relative: bool) -> str:
    """URIs whose unreserved letters and delimiters are `letters`, a part of a character class."""
    plain = f"(?:[{letters}]|{_ESCAPED})"
    of_path = f"(?:[{letters}:@]|{_ESCAPED})"
    of_query = rf"(?:[{letters}:@\/?]|{_ESCAPED})"
    host = rf"(?:\[[0-9A-Fa-f:.v]+\]|{plain}*)"
    authority = rf"\/\/(?:(?:{plain}|:)*@)?{host}(?::[0-9]*)?(?:\/{of_path}*)*"
    absolute = rf"\/(?:{of_path}+(?:\/{of_path}*)*)?"
    ends = rf"(?:\?{of_query}*)?(?:#{of_query}*)?"
    whole = rf"[A-Za-z][A-Za-z0-9+.\-]*:(?:{authority}|{absolute}|{of_path}+(?:\/{of_path}*)*|)"
    if relative:
        # A colon in the first part would make it a scheme.
        first = f"(?:[{letters}@]|{_ESCAPED})+"
        whole = rf"(?:{whole}|{authority}|{absolute}|{first}(?:\/{of_path}*)*|)"
    return f"^{whole}{ends}$"


_POINTER = r"(?:\/(?:[^~\/]|~[01])*)*"
# Letters beyond the basic plane are left to the check: a class of all would be larger by far.
_IRI = f"{_ASCII}\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef"

PATTERNS = {
    "uri": _uri(_ASCII, relative=False),
    "uri-reference": _uri(_ASCII, relative=True),
    "iri": _uri(_IRI, relative=False),
    "iri-reference": _uri(_IRI, relative=True),
    "json-pointer": f"^{_POINTER}$",
    "relative-json-pointer": f"^(?:0|[1-9][0-9]*)(?:#|{_POINTER})$",
}
"""Expressions for those that samplers do not know."""
