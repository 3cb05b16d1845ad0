"""Signatures by AWS credentials (Signature Version 4).

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

from __future__ import annotations

import asyncio
import os
import re
from typing import Any

from oumi.backends.remote.http.call import Call
from oumi.core.forks import watch_forks
from oumi.errors import AccessError, ConfigError

_SERVICE = "bedrock"
_REGION_IN_HOST = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.")
_REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")


class AwsAuth:
    """Signs each call with credentials that botocore finds."""

    def __init__(self) -> None:
        self._credentials: Any = None
        watch_forks(self)

    def after_fork(self) -> None:
        """A thread of the parent may hold the lock of the credentials: they are found anew."""
        self._credentials = None

    async def apply(self, call: Call) -> Call:
        """The call with a signature over its method, URL, body, and the time."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        if self._is_stale():
            await asyncio.to_thread(self._renew)
        request = AWSRequest(
            call.method, call.url, {"content-type": call.headers["content-type"]}, call.body
        )
        credentials = self._credentials.get_frozen_credentials()
        SigV4Auth(credentials, _SERVICE, _region(call.url)).add_auth(request)
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


def _region(url: str) -> str:
    """The region in the name of an AWS host, or else in the environment. Raises ConfigError."""
    found = _REGION_IN_HOST.search(url.split("/")[2])
    region = found[1] if found else next(filter(None, map(os.environ.get, _REGION_VARIABLES)), "")
    if not region:
        raise ConfigError(f"no AWS region; set {' or '.join(_REGION_VARIABLES)}")
    return region
