"""Messages of an event stream of AWS, as ConverseStream sends them.

https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
from binascii import crc32
from typing import Any

import orjson

_STRING = 7


def event(kind: str, **fields: Any) -> bytes:
    """An event, such as `contentBlockDelta`."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return message(headers, orjson.dumps(fields))


def exception(kind: str, text: str) -> bytes:
    """An error in mid-stream, such as `throttlingException`."""
    headers = {":exception-type": kind, ":message-type": "exception"}
    return message(headers, orjson.dumps({"message": text}))


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """Lengths and their checksum, headers, payload, and the checksum of it all."""
    head = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    whole = prelude + struct.pack("!I", crc32(prelude)) + head + payload
    return whole + struct.pack("!I", crc32(whole))


def _header(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + struct.pack("!BH", _STRING, len(value)) + value
