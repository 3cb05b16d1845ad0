"""Pages of a PDF as images, for engines that take images and no PDFs."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

from oumi.errors import InputError, MissingDependencyError

# Small print can be read, and a page has about four megapixels, more than any API looks at.
_DPI = 200
_POINTS_PER_INCH = 72
_PNG = b"\x89PNG\r\n\x1a\n"
_RGB_8_BITS = (8, 2, 0, 0, 0)


def render_pages(data: bytes, name: str) -> Iterator[bytes]:
    """The pages of a document as PNG images, one after the other; `name` is for errors.

    Raises MissingDependencyError without pypdfium2, InputError for what it cannot read.
    """
    try:
        import pypdfium2
    except ImportError as error:
        raise MissingDependencyError(
            f"{name}: to render the pages of a PDF needs: pip install 'oumi-infer[pdf]'"
        ) from error
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise InputError(f"{name}: not a PDF document that can be read: {error}") from error
    try:
        for page in document:
            yield _to_png(page.render(scale=_DPI / _POINTS_PER_INCH, rev_byteorder=True))
    finally:
        document.close()


def _to_png(bitmap: Any) -> bytes:
    """https://www.w3.org/TR/png-3/, with rows as they are (filter 0)."""
    pixels, used = bytes(bitmap.buffer), 3 * bitmap.width
    starts = range(0, bitmap.height * bitmap.stride, bitmap.stride)
    rows = b"".join(b"\x00" + pixels[start : start + used] for start in starts)
    head = struct.pack(">2I5B", bitmap.width, bitmap.height, *_RGB_8_BITS)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return _PNG + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
