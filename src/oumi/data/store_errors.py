"""What object stores say, by what the caller can do about it."""

from __future__ import annotations

import re

from oumi.errors import AccessError, OumiError, RequestError, UnavailableError

# The clients of stores (pyarrow, s3fs, gcsfs, adlfs) raise errors of any type.
_REFUSED = re.compile(
    r"access.?denied|credential|forbidden|unauthorized|invalid.?access.?key|\b40[13]\b"
    r"|signature.?does.?not.?match|expired.?token|token.{0,20}expired",
    re.IGNORECASE,
)
_MISSING = re.compile(r"no.?such.?bucket|bucket does not exist|\b404\b", re.IGNORECASE)


def store_error(what: str, error: Exception, missing: type[RequestError]) -> OumiError:
    """The error for what a store's client has raised: AccessError where the key is refused,
    `missing` where something is not there or the store cannot do this, and UnavailableError for all
    else, which another try may mend.
    """
    said = f"{what}: {type(error).__name__}: {error}"
    if isinstance(error, PermissionError) or _REFUSED.search(said):
        return AccessError(
            f"{said}. The store has to be told who asks: for S3 by AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY or a profile, for gs:// by GOOGLE_APPLICATION_CREDENTIALS, for "
            "hf:// by HF_TOKEN"
        )
    if isinstance(error, FileNotFoundError) or _MISSING.search(said):
        return missing(f"{said}. There has to be such a bucket")
    if isinstance(error, NotImplementedError):
        return missing(f"{said}. Files are only read there")
    return UnavailableError(said)
