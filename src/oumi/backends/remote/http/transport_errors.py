"""Errors of the HTTP stack, and the HTTP library's turned into ours."""

from __future__ import annotations

import re
import socket
from functools import cache
from urllib.parse import urlsplit

from oumi.backends.remote.http.call import Call
from oumi.backends.remote.http.proxies import Proxy
from oumi.errors import AccessError, ConfigError, RequestError, UnavailableError

_CANNOT_CONNECT = "cannot connect to it"
_LOST = "the connection was lost"
_UNANSWERED = "the connection was closed before the reply"
_NO_SUCH_HOST = " (no such host name)"
_CUT_OFF = "the reply was cut off or garbled"
_WHAT = {
    "ConnectionError": _CANNOT_CONNECT,
    "ProxyConnectionError": "cannot connect to it through the proxy",
    "ConnectionResetError": _LOST,
    "BodyError": "the connection was lost in mid-reply",
    "DecodingError": _CUT_OFF,
    "TimeoutError": _CANNOT_CONNECT,
    "TlsError": "no secure connection",
}
_NO_CONNECTION = {"ConnectionError", "ProxyConnectionError", "TlsError"}
_TOO_LONG = "source: TimedOut"
_UNTRUSTED = (
    " (its certificate is not trusted; SSL_CERT_FILE can name a bundle of your own, or "
    "SSL_CERT_DIR a folder)"
)
_PROXY_REFUSES = "ProxyAuthRequired"


class TransportError(UnavailableError):
    """No whole reply came. The server may have answered all the same."""

    no_reply = True


class ConnectError(TransportError):
    """No connection, so nothing was sent: it was refused, there is no such host, a proxy or TLS
    stands in the way.
    """

    unreachable = True


class TransportTimeoutError(TransportError):
    """The reply was not whole in time."""

    @property
    def overload(self) -> bool:
        """A server that does not answer may have too much to do."""
        return True


def too_large(call: Call) -> RequestError:
    """For a reply that would take more memory than is allowed. To ask again would not help."""
    return RequestError(
        f"{_host(call)}: the reply is larger than {call.max_reply_bytes:,} bytes, the most that "
        "remote_params.max_reply_bytes allows"
    )


def _host(call: Call) -> str:
    return urlsplit(call.url).netloc.rpartition("@")[2] or "api_url"


def closed(call: Call) -> TransportError:
    """For a call of a transport that is closed."""
    return TransportError(f"{_host(call)}: the transport is closed")


def late(call: Call) -> TransportTimeoutError:
    """For a reply that is not whole in time."""
    return TransportTimeoutError(f"{_host(call)}: no whole reply within {call.timeout_s:g} s")


def lost(call: Call) -> TransportError:
    """For a connection that was reset."""
    return TransportError(f"{_host(call)}: {_LOST}")


def unanswered(call: Call) -> TransportError:
    """For a connection that the server closed and had said nothing."""
    return TransportError(f"{_host(call)}: {_UNANSWERED}")


def cut_off(call: Call) -> TransportError:
    """For a reply that ends too early or is no HTTP."""
    return TransportError(f"{_host(call)}: {_CUT_OFF}")


def unreachable(call: Call, error: OSError) -> ConnectError:
    """For a connection that does not come about."""
    if isinstance(error, socket.gaierror):
        reason = _NO_SUCH_HOST
    elif isinstance(error, TimeoutError):
        reason = " (timed out)"
    else:
        reason = f" ({error.strerror.lower()})" if error.strerror else ""
    return ConnectError(f"{_host(call)}: {_CANNOT_CONNECT}{reason}")


def silent(call: Call) -> TransportTimeoutError:
    """For a stream from which nothing came for too long."""
    return TransportTimeoutError(f"{_host(call)}: the stream was silent for {call.timeout_s:g} s")


def refused_by_proxy(call: Call, proxy: Proxy) -> AccessError:
    """For a proxy that asks for a name and a password, or does not take those it was sent."""
    if proxy.has_password:
        advice = f"the user name and the password in {proxy.variable} are not taken"
    else:
        advice = f"{proxy.variable} has to name a user, as http://USER:PASSWORD@HOST:PORT"
    return AccessError(f"{_host(call)}: the proxy {proxy} answered 407: {advice}", status=407)


def translate(error: BaseException, call: Call, proxy: Proxy | None = None) -> BaseException:
    """Ours for the library's; any other as it is."""
    host = _host(call)
    name = type(error).__name__
    if name == "BuilderError":
        return ConfigError(f"{host}: its URL is none that can be asked")
    if isinstance(error, RuntimeError) and str(error).startswith("Invalid header"):
        return ConfigError(f"{host}: a header or the key holds characters that cannot be sent")
    if not isinstance(error, _library_errors()):
        return error
    if proxy is not None and _PROXY_REFUSES in str(error):
        return refused_by_proxy(call, proxy)
    if _TOO_LONG in str(error):
        return late(call)
    what = _WHAT.get(name, _UNANSWERED)
    if "Error(Body" in str(error):  # named otherwise in a stream
        what = _CUT_OFF
    if proxy is not None and name == "ProxyConnectionError":
        what += f" {proxy}"
    kind = ConnectError if name in _NO_CONNECTION else TransportError
    return kind(f"{host}: {what}{_reason(str(error))}")


@cache
def _library_errors() -> tuple[type[Exception], ...]:
    from wreq import exceptions

    return tuple(value for value in vars(exceptions).values() if isinstance(value, type))


def _reason(text: str) -> str:
    """The part of the library's text that helps, and can hold nothing secret."""
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return _UNTRUSTED
    if "dns error" in text:
        return _NO_SUCH_HOST
    found = re.search(r'kind: \w+, message: "([\w ]+)"', text)
    return f" ({found[1].lower()})" if found else ""
