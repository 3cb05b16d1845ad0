"""Text that is safe on a terminal: what steers it, or turns the order of letters, is written out.

Models, servers, files and rows may say anything, and a terminal obeys what it is shown.
"""

from __future__ import annotations

# C0, DEL and C1. Newlines and tabs are part of a text.
_CONTROLS = [code for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"]
# The characters with the property Bidi_Control, and the line ends that Unicode has besides:
# https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
_DIRECTIONS = [0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]

_ESCAPES = str.maketrans(
    {code: f"\\x{code:02x}" for code in _CONTROLS}
    | {code: f"\\u{code:04x}" for code in _DIRECTIONS}
)
_LINE_ESCAPES = _ESCAPES | {ord("\n"): "\\n", ord("\t"): "\\t"}
_JSON_ESCAPES = str.maketrans({code: f"\\u{code:04x}" for code in (*range(127, 160), *_DIRECTIONS)})


def printable(text: str) -> str:
    """The text with control and bidirectional characters written as `\\x1b` or `\\u202e`."""
    return text.translate(_ESCAPES)


def printable_line(text: str) -> str:
    """The same in one line, for a name: newlines and tabs are written out as well."""
    return text.translate(_LINE_ESCAPES)


def printable_json(text: str) -> str:
    """JSON of the same value, in which the escapes of JSON stand for these characters."""
    return text.translate(_JSON_ESCAPES)
