"""Addresses that rows name, where this machine loads them: from which hosts, and how much."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
from ipaddress import ip_address
from pathlib import Path

import pytest
from pydantic import ValidationError

from oumi.backends.media import web
from oumi.backends.media.hosts import is_public, resolve
from oumi.backends.media.loader import MediaLoader
from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types import ContentItem, Conversation, Message, Role, ToolDefinition, Type
from oumi.errors import InputError, OumiError, UnavailableError
from oumi.runner.request import Request
from tests.conftest import ask
from tests.media.site import Site, open_site
from tests.remote.talks import PNG


@pytest.fixture(scope="module")
def _site():
    with open_site() as site:
        yield site


@pytest.fixture
def site(_site: Site) -> Site:
    _site.paths.clear()
    return _site


def load(url: str, *allowed: str, max_bytes: int = 1000) -> bytes | None:
    """The image of a row as a local engine is given it."""
    item = ContentItem(type=Type.IMAGE_URL, content=url)
    row = Conversation(messages=[Message(role=Role.USER, content=[item])])
    loader = MediaLoader(lambda kind: None, Path("/nowhere"), allowed, max_bytes, loads_urls=True)
    loaded = asyncio.run(loader.load(Request(row, InferenceConfig())))
    assert row[0].content_items == [item], "the caller's row is as it was"
    return loaded.conversation[0].content_items[0].binary


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "2130706433"),
        *("0x7f000001", "0x7f.1", "0177.0.0.1", "0", "0.0.0.0", "[::1]", "[::]"),
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "１２７.0.0.1"),
        *("127。0。0。1", "user@127.0.0.1", "example.org@127.0.0.1", "example.org\\@127.0.0.1"),
    ],
)
def test_no_spelling_of_this_machine_is_asked(site: Site, host: str):
    with pytest.raises(InputError):
        load(f"http://{host}:{site.server_port}/image.png")
    assert site.paths == []


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "127.9.9.9"),
        *("0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
        *("::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1"),
        *("::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::ffff:169.254.169.254"),
    ],
)
def test_addresses_that_are_not_public(address: str):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_addresses_that_are_public(address: str):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://1.1.1.1/a?b=c d#e", "http://1.1.1.1:80/a?b=c d"),
        ("https://[2606:4700::1111]", "https://[2606:4700::1111]:443/"),
        ("http://0x1.1:81/a\\b", "http://1.0.0.1:81/a\\b"),
    ],
)
def test_what_is_checked_is_what_is_asked(url: str, asked: str):
    assert asyncio.run(resolve(url, ())).url == asked


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8", "localhost"])
def test_a_host_is_allowed_by_name_address_or_network(site: Site, allowed: str):
    host = "LocalHost" if allowed == "localhost" else "127.0.0.1"
    url = f" http://{host}:{site.server_port}/image.png "
    assert load(url, "other.test", "host1", "fd00::/8", allowed) == PNG
    assert site.paths == ["/image.png"]


def test_an_error_names_the_address_and_the_setting(site: Site):
    with pytest.raises(InputError) as caught:
        load(f"http://localhost:{site.server_port}/image.png")
    assert str(caught.value).startswith(f"http://localhost:{site.server_port}/image.png: localhost")
    assert "allowed_media_hosts" in str(caught.value)


def test_each_redirect_is_checked(site: Site):
    with open_site("127.0.0.2") as other:
        to_other = f"{site.url}/to?{other.url}/image.png"
        with pytest.raises(InputError, match=r"127\.0\.0\.2, which is not on the public internet"):
            load(to_other, "127.0.0.1")
        assert other.paths == []
        assert load(to_other, "127.0.0.1", "127.0.0.2") == PNG
    assert load(f"{site.url}/to?/image.png", "127.0.0.1") == PNG, "a relative one"
    with pytest.raises(InputError, match="no web page"):
        load(f"{site.url}/to?file:///etc/passwd", "127.0.0.1")
    with pytest.raises(InputError, match="a redirect to no URL"):
        load(f"{site.url}/to?http://[::1/a", "127.0.0.1")
    with pytest.raises(InputError, match="more than 5 redirects"):
        load(f"{site.url}/to?/to?/to?/to?/to?/to?/image.png", "127.0.0.1")


@pytest.mark.parametrize("path", ["/endless", "/large"])
def test_no_more_is_loaded_than_the_limit(site: Site, path: str):
    with pytest.raises(InputError, match=r"over 1,000 bytes left to this row \(max_media_bytes\)"):
        load(site.url + path, "127.0.0.1")


@pytest.mark.parametrize(
    ("path", "error", "reason"),
    [
        ("/404", InputError, "HTTP status 404"),
        ("/503", UnavailableError, "HTTP status 503"),
        ("/200", InputError, "not a PNG"),
    ],
)
def test_a_reply_without_an_image(site: Site, path: str, error: type[OumiError], reason: str):
    with pytest.raises(error, match=f"{path}: {reason}"):
        load(site.url + path, "127.0.0.1")


@pytest.mark.parametrize("url", ["http://nowhere.invalid/a", "http://127.0.0.1:1/a"])
def test_a_host_that_is_not_there(url: str):
    with pytest.raises(UnavailableError, match=url):
        load(url, "127.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        *("http://", "http:///a", "http://[::1/a", "http://a b/", "http://127.0.0.1:99999/"),
        *("http://%31%32%37.0.0.1/", "ftp://example.org/a", "/etc/passwd", "gopher://a", "x"),
        *("http://exa\nmple/", "http://a..b/", "http://" + "a" * 300 + "/", ""),
    ],
)
def test_what_is_no_address_of_the_web(url: str):
    with pytest.raises((InputError, UnavailableError)) as caught:
        load(url, "127.0.0.1")
    assert len(str(caught.value)) < 600


def test_proxies_of_the_environment_are_not_asked(site: Site, monkeypatch):
    with open_site("127.0.0.3") as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert load(f"{site.url}/image.png", "127.0.0.1") == PNG
        assert proxy.paths == []


def test_a_load_that_is_given_up_closes_its_connection():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def hang() -> None:
            connection, _ = listening.accept()
            with connection:
                while connection.recv(1000):
                    pass
            ended.set()

        threading.Thread(target=hang, daemon=True).start()

        async def give_up() -> None:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}/a"
            async with asyncio.timeout(0.5):
                await web.load(url, ["127.0.0.1"], 1000)

        with pytest.raises(TimeoutError):
            asyncio.run(give_up())
        assert ended.wait(20)


def test_a_data_url_stays_as_it_is():
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert load(url) is None


@pytest.mark.parametrize(
    "entry", ["http://a.test", "a.test:80", "a.test/x", "10.0.0.1/8", "*.test", "", "::1%lo", "a b"]
)
def test_an_entry_that_could_never_match_is_an_error(entry: str):
    with pytest.raises(ValidationError, match="expected a host name, an address or a network"):
        InferenceConfig(allowed_media_hosts=[entry])


@pytest.mark.parametrize("choice", ["auto", "required"])
def test_a_tool_makes_nobody_load_its_references(engine, site: Site, choice: str):
    references = [f"{site.url}/image.png", f"{site.url}/image.png#/a", "file:///etc/passwd"]
    rows = []
    for reference in references:
        function = {"name": "add", "parameters": {"properties": {"a": {"$ref": reference}}}}
        tool = ToolDefinition.model_validate({"type": "function", "function": function})
        rows.append(ask("What is 1 plus 1?", tools=[tool]))
    params = GenerationParams(max_new_tokens=8, tool_choice=choice)
    engine.infer_partial(rows, InferenceConfig(generation=params))
    assert site.paths == []
