"""Forms with a file in them."""

from __future__ import annotations

import re
from typing import Any


def read_form(headers: Any, body: bytes) -> tuple[dict[str, str], str, bytes]:
    """The fields of a form, and the name and the content of its file."""
    kind = next(value for name, value in headers if name.lower() == b"content-type")
    boundary = b"--" + re.search(rb'boundary="?([^";]+)', kind)[1]
    fields, file_name, content = {}, "", b""
    for part in body.split(boundary)[1:-1]:
        head, _, value = part[2:-2].partition(b"\r\n\r\n")
        name = re.search(rb'\bname="([^"]*)"', head)[1].decode()
        found = re.search(rb'filename="([^"]*)"', head)
        if found:
            file_name, content = found[1].decode(), value
        else:
            fields[name] = value.decode()
    return fields, file_name, content
