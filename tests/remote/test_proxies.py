"""Which proxy a request goes through, and what is said where it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from oumi.backends.certificates import trusted_certificates
from oumi.backends.remote.http.proxies import Proxies
from oumi.core.configs import ModelParams, RemoteParams
from oumi.errors import AccessError, ConfigError, UnavailableError
from oumi.inference import RemoteInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer
from tests.fault_server.proxy import Proxy
from tests.remote.outages import make, rows

PROXY = "http://bob:pass-word@proxy:3128"
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in CERTIFICATES:
        monkeypatch.delenv(name, raising=False)


def direct(no_proxy: str, url: str) -> bool:
    return Proxies({"ALL_PROXY": PROXY, "NO_PROXY": no_proxy}).find(url) is None


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("*", "https://api.example.org/v1"),
        ("a.org, *", "http://127.0.0.1:8000/v1"),
        ("example.org", "https://example.org/v1"),
        ("example.org", "https://api.example.org./v1"),
        ("EXAMPLE.org", "https://API.example.ORG/v1"),
        (".example.org", "https://api.example.org/v1"),
        (".example.org", "https://example.org/v1"),
        ("*.example.org", "https://api.example.org/v1"),
        ("a.org b.org", "https://b.org/v1"),
        ("a.org,,b.org,", "https://b.org/v1"),
        ("example.org:8000", "http://example.org:8000/v1"),
        ("example.org:443", "https://example.org/v1"),
        ("127.0.0.1", "http://127.0.0.1:8000/v1"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("127.0.0.0/8", "http://127.1.2.3:8000/v1"),
        ("10.1.2.3/8", "http://10.9.9.9/v1"),
        ("::1", "http://[::1]:8000/v1"),
        ("[::1]", "http://[::1]:8000/v1"),
        ("[::1]:8000", "http://[::1]:8000/v1"),
        ("fd00::/8", "http://[fd12::1]/v1"),
        ("localhost", "http://bob:pass-word@localhost:1234/v1"),
    ],
)
def test_what_is_asked_directly(no_proxy: str, url: str):
    assert direct(no_proxy, url)


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("", "https://example.org/v1"),
        ("ample.org", "https://example.org/v1"),
        ("api.example.org", "https://example.org/v1"),
        ("example.org:8000", "http://example.org:8001/v1"),
        ("example.org:80", "https://example.org/v1"),
        ("0.0.1", "http://127.0.0.1/v1"),
        ("10.0.0.0/8", "http://example.org/v1"),
        ("127.0.0.0/99", "http://127.0.0.1/v1"),
        ("[::1]:8001", "http://[::1]:8000/v1"),
        ("localhost", "http://127.0.0.1/v1"),
        (".", "https://example.org/v1"),
    ],
)
def test_what_goes_through_the_proxy(no_proxy: str, url: str):
    assert not direct(no_proxy, url)


@pytest.mark.parametrize(
    ("environment", "url", "variable"),
    [
        ({"HTTPS_PROXY": PROXY}, "https://h/", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": PROXY}, "http://h/", None),
        ({"http_proxy": PROXY, "HTTP_PROXY": "other:1"}, "http://h/", "http_proxy"),
        ({"ALL_PROXY": PROXY, "HTTPS_PROXY": "other:1"}, "http://h/", "ALL_PROXY"),
        ({"all_proxy": "socks5h://h:1080"}, "https://h/", "all_proxy"),
        ({"HTTP_PROXY": " "}, "http://h/", None),
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "http://h/", None),
        ({"http_proxy": PROXY, "no_proxy": "h", "NO_PROXY": ""}, "http://h/", None),
    ],
)
def test_the_variables(environment: dict[str, str], url: str, variable: str | None):
    proxy = Proxies(environment).find(url)
    assert (proxy and proxy.variable) == variable


@pytest.mark.parametrize("value", ["ftp://h:1", "http://", f"{PROXY}0000", "http://a b", "::1"])
def test_what_is_no_proxy(value: str):
    with pytest.raises(ConfigError, match="HTTPS_PROXY names no proxy") as caught:
        Proxies({"HTTPS_PROXY": value})
    assert "pass-word" not in str(caught.value)


def test_no_proxy_on_the_wire(server: FaultServer, monkeypatch: pytest.MonkeyPatch):
    host = server.url.partition("://")[2]
    with Proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        for no_proxy in ("*", host, "127.0.0.0/8"):
            monkeypatch.setenv("no_proxy", no_proxy)
            with make(server) as engine:
                engine.infer(rows(1))
            assert proxy.seen == []
        monkeypatch.setenv("no_proxy", "127.0.0.1:1")
        with make(server) as engine:
            engine.infer(rows(2))
            list(engine.stream(ask("row-3")))
        assert proxy.seen[0] == f"POST {server.api_url}/chat/completions HTTP/1.1"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("user", ["", "bob:pass-word@"])
def test_a_proxy_that_refuses_ends_the_run_by_its_name(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, scheme: str, user: str
):
    refused = {"kind": "status", "code": 407, "times": None}
    server.plan(faults=[refused])
    place = server.url.partition("://")[2]
    monkeypatch.setenv("ALL_PROXY", f"http://{user}{place}")
    with make(f"{scheme}://api.example.invalid/v1", num_workers=1) as engine:
        with pytest.raises(AccessError) as caught:
            engine.infer(rows(50))
        with pytest.raises(AccessError):
            list(engine.stream(ask("row-1")))
    shown = f"http://***@{place}" if user else f"http://{place}"
    assert f"the proxy {shown} (ALL_PROXY) answered 407" in str(caught.value)
    assert "pass-word" not in str(caught.value)
    assert caught.value.status == 407


def test_a_proxy_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://bob:pass-word@127.0.0.1:9")
    engine = make("https://api.example.invalid/v1", max_retries=0)
    with engine, pytest.raises(UnavailableError) as caught:
        engine.infer(rows(1))
    assert "through the proxy http://***@127.0.0.1:9 (HTTPS_PROXY)" in str(caught.value)
    assert "pass-word" not in str(caught.value)


@pytest.fixture
def folder(authority: trustme.CA, tmp_path: Path) -> Path:
    """Certificates as a system has them: ours, others, a key beside them, a broken link."""
    authority.cert_pem.write_to_path(str(tmp_path / "own.pem"))
    (tmp_path / "0a1b2c3d.0").symlink_to("own.pem")
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.crt"))
    authority.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    (tmp_path / "gone.pem").symlink_to("nowhere.pem")
    (tmp_path / "README").write_text("certificates")
    (tmp_path / "sub").mkdir()
    return tmp_path


def ask_tls(server: FaultServer) -> list[str]:
    remote = RemoteParams(api_url=server.api_url, max_retries=0)
    with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
        return answers(engine.infer([ask("row-1")]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_DIR", "{}"),
        ("SSL_CERT_DIR", "{}/sub/..:{}"),
        ("SSL_CERT_FILE", "{}/own.pem"),
        ("REQUESTS_CA_BUNDLE", "{}"),
        ("REQUESTS_CA_BUNDLE", "{}/own.pem"),
    ],
)
def test_certificates_of_ones_own(
    tls_server: FaultServer, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
):
    monkeypatch.setenv(name, value.replace("{}", str(folder)))
    assert ask_tls(tls_server) == ["answer to row-1"]


def test_a_bundle_and_a_folder_go_together(
    tls_server: FaultServer, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "other.crt"))
    with pytest.raises(UnavailableError, match=r"not trusted.*SSL_CERT_DIR"):
        ask_tls(tls_server)
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    assert ask_tls(tls_server) == ["answer to row-1"]


BROKEN = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("name", CERTIFICATES)
@pytest.mark.parametrize("content", [None, "", "no certificate", BROKEN])
def test_a_wrong_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str | None
):
    path = tmp_path / "certificates"
    if content is not None and name == "SSL_CERT_DIR":
        path.mkdir()
        (path / "ca.pem").write_text(content)
    elif content is not None:
        path.write_text(content)
    monkeypatch.setenv(name, str(path))
    with pytest.raises(ConfigError, match=f"{name} names {path}"):
        trusted_certificates()


def test_the_kind_has_to_be_right(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(folder))
    with pytest.raises(ConfigError, match=r"SSL_CERT_FILE names .* no file"):
        trusted_certificates()
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(folder / "own.pem"))
    with pytest.raises(ConfigError, match=r"SSL_CERT_DIR names .* no folder"):
        trusted_certificates()


def test_a_wrong_one_ends_a_run_at_once(
    tls_server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    with pytest.raises(ConfigError, match=r"SSL_CERT_FILE.*gone\.pem"):
        ask_tls(tls_server)
