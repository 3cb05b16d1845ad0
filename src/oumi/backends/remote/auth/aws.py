"""Signatures by AWS credentials (Signature Version 4).

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from oumi.backends.remote.http.call import Call
from oumi.backends.remote.http.uploads import Body, File
from oumi.core.forks import watch_forks
from oumi.errors import AccessError, ConfigError

_REGION_IN_HOST = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.")
_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


class AwsAuth:
    """Signs each call to a service with credentials that botocore finds."""

    def __init__(self, service: str = "bedrock", region: str = "") -> None:
        """Without a region it is the one in the name of the host, or that of the environment."""
        self._service = service
        self._region = region
        self._credentials: Any = None
        watch_forks(self)

    def after_fork(self) -> None:
        """A thread of the parent may hold the lock of the credentials: they are found anew."""
        self._credentials = None

    async def apply(self, call: Call) -> Call:
        """The call with a signature over its method, URL, body, and the time."""
        if self._is_stale():
            await asyncio.to_thread(self._renew)
        if isinstance(call.body, File):  # all of which is read
            return await asyncio.to_thread(self._sign, call)
        return self._sign(call)

    def _sign(self, call: Call) -> Call:
        from botocore.auth import S3SigV4Auth, SigV4Auth
        from botocore.awsrequest import AWSRequest

        headers = {"content-type": call.headers["content-type"]}
        credentials = self._credentials.get_frozen_credentials()
        sign = S3SigV4Auth if self._service == "s3" else SigV4Auth
        with _opened(call.body) as body:
            request = AWSRequest(call.method, call.url, headers, body)
            region = self._region or region_of(call.url)
            sign(credentials, self._service, region).add_auth(request)
        signed = {name.lower(): value for name, value in request.headers.items()}
        return call._replace(headers={**call.headers, **signed})

    def _is_stale(self) -> bool:
        if self._credentials is None:
            return True
        refresh_needed = getattr(self._credentials, "refresh_needed", None)  # if they expire
        return refresh_needed is not None and refresh_needed()

    def _renew(self) -> None:
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session

        try:
            if self._credentials is None:
                self._credentials = Session().get_credentials()
            if self._credentials is not None:
                self._credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise AccessError(f"AWS credentials: {str(error).splitlines()[0]}") from error
        if self._credentials is None:
            raise AccessError(
                "no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, "
                "or AWS_BEARER_TOKEN_BEDROCK"
            )


@contextmanager
def _opened(body: Body) -> Iterator[Any]:
    """A body as botocore takes it."""
    if isinstance(body, File):
        with body.path.open("rb") as file:
            yield file
    else:
        yield body


def region_of(url: str) -> str:
    """The region in the name of an AWS host, or else in the environment. Raises ConfigError."""
    found = _REGION_IN_HOST.search(url.split("/")[2])
    region = found[1] if found else next(filter(None, map(os.environ.get, _REGION_VARIABLES)), "")
    if not region:
        raise ConfigError(f"no AWS region; set {' or '.join(_REGION_VARIABLES)}")
    return region
