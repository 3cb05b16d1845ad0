"""Files that rows name, by an engine behind an API: what the server is sent, and what it is not."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import ContentItem, Conversation, InferenceResult, Message, Role, Type
from oumi.errors import ConfigError
from oumi.inference import RemoteInferenceEngine
from tests.fault_server import FaultServer
from tests.remote.talks import PNG

SENT = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
SECRET = PNG + b"secret"


@pytest.fixture
def remote(server: FaultServer):
    params = RemoteParams(api_url=server.api_url, max_retries=0)
    with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=params) as engine:
        yield engine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the input, with an image; beside it one that is not to be read."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a b.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(SECRET)
    return folder


def by_path(path: object) -> ContentItem:
    return ContentItem(type=Type.IMAGE_PATH, content=str(path))


def by_url(url: str) -> ContentItem:
    return ContentItem(type=Type.IMAGE_URL, content=url)


def show(*items: ContentItem) -> Conversation:
    return Conversation(messages=[Message(role=Role.USER, content=list(items))])


def infer_file(engine, folder: Path, *items: ContentItem, **fields: object) -> InferenceResult:
    """Each item in a row of its own of a file in the folder, with the default settings."""
    path = folder / "in.jsonl"
    path.write_text("".join(show(item).to_json() + "\n" for item in items))
    return engine.infer_partial(None, InferenceConfig(input_path=str(path), **fields))


def sent_urls(server: FaultServer) -> list[str]:
    bodies = [json.loads(one["body"]) for one in server.stats()["last"]]
    parts = [part for body in bodies for part in body["messages"][0]["content"]]
    return [part["image_url"]["url"] for part in parts]


def test_rows_of_a_file_name_files_of_its_folder(remote, server, folder: Path, tmp_path: Path):
    inside, outside = folder / "images" / "a b.png", tmp_path / "secret.png"
    (folder / "link.png").symlink_to(outside)
    (folder / "away").symlink_to(tmp_path)
    paths = [
        f"{outside}",
        f"{folder}/../secret.png",
        f"{folder}/link.png",
        f"{folder}/away/secret.png",
        "/etc/passwd",
        "~/secret.png",
    ]
    refused = [by_path(path) for path in paths]
    refused += [by_url(f" FILE://localhost{folder}/%2e%2e/secret.png"), by_url(f"file:{outside}")]
    Path("~/secret.png").expanduser().write_bytes(SECRET)
    good = [by_path(inside), by_path(folder / "away" / "data" / "images" / "a b.png")]
    good += [by_url(f"file://{folder}/images/a%20b.png")]
    result = infer_file(remote, folder, *good, *refused)
    assert result.rows == [0, 1, 2]
    assert sent_urls(server) == [SENT] * 3
    paths += [f"{folder}/../secret.png", f"{outside}"]
    for message, path in zip(result.error_messages.values(), paths, strict=True):
        assert message.startswith(f"{path}: outside of {folder}; allowed_media_path sets")


def test_the_setting_names_another_folder(remote, server, folder: Path, tmp_path: Path):
    item = by_path(tmp_path / "secret.png")
    assert infer_file(remote, folder, item, allowed_media_path=str(tmp_path)).rows == [0]
    assert infer_file(remote, folder, item, allowed_media_path="/").rows == [0]
    inner = infer_file(remote, folder, item, allowed_media_path=str(folder / "images"))
    assert f"outside of {folder / 'images'}" in inner.error_messages[0]
    with pytest.raises(ConfigError, match="allowed_media_path: /nowhere: no such folder"):
        infer_file(remote, folder, item, allowed_media_path="/nowhere")


def test_a_list_may_name_any_file_unless_a_folder_is_set(remote, server, folder, tmp_path: Path):
    row = show(by_path(tmp_path / "secret.png"))
    ignored = InferenceConfig(input_path=str(folder / "in.jsonl"))  # the list wins
    assert remote.infer_partial([row], ignored).rows == [0]
    assert "".join(delta.content for delta in remote.stream(row, ignored))
    set_folder = InferenceConfig(allowed_media_path=str(folder))
    assert "allowed_media_path" in remote.infer_partial([row], set_folder).error_messages[0]


def test_only_regular_files_are_read(remote, server: FaultServer, folder: Path, monkeypatch):
    monkeypatch.chdir(folder)
    os.mkfifo(folder / "pipe")
    items = {
        "pipe": "not a regular file",
        "/dev/zero": "not a regular file",
        "/dev/stdin": "",  # a pipe, a terminal or a file, by how the tests are run
        ".": "not a regular file",
        "/proc/self/environ": "a file of the kernel",
        "/proc/self/cwd/images/none.png": "No such file",
        "/sys/kernel/uevent_seqnum": "a file of the kernel",
        "none.png": "No such file",
        "a\0b": "no path of a file",
        "~nosuchuser/x.png": "no path of a file",
        "a" * 5000: "File name too long",
        "": "not a regular file",
    }
    rows = [show(by_path(path)) for path in items]
    result = remote.infer_partial(rows)
    assert result.rows == []
    for message, reason in zip(result.error_messages.values(), items.values(), strict=True):
        assert reason in message
        assert len(message) < 500
    assert server.stats()["requests"] == 0


@pytest.mark.parametrize("size", [100, 101])
def test_the_size_of_all_images_of_a_row_is_limited(remote, server, tmp_path: Path, size: int):
    data = PNG + bytes(50 - len(PNG))
    (tmp_path / "a.png").write_bytes(data)
    rest = PNG + bytes(size - 50 - len(PNG))
    url = f"data:image/png;base64,{base64.b64encode(rest).decode()}"
    binary = ContentItem(type=Type.IMAGE_BINARY, binary=rest)
    (tmp_path / "b.png").write_bytes(rest)
    lasts = (by_path(tmp_path / "b.png"), by_url(url), binary)
    rows = [show(by_path(tmp_path / "a.png"), last) for last in lasts]
    result = remote.infer_partial(rows, InferenceConfig(max_media_bytes=100))
    assert result.rows == ([0, 1, 2] if size == 100 else [])
    for message in result.error_messages.values():
        assert "over 50 bytes left to this row (max_media_bytes)" in message


def test_a_huge_file_is_not_read(remote, tmp_path: Path):
    with (tmp_path / "huge.png").open("wb") as file:
        file.write(PNG)
        file.truncate(10**12)  # without blocks on the disk
    result = remote.infer_partial([show(by_path(tmp_path / "huge.png"))])
    assert "over 50,000,000 bytes" in result.error_messages[0]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("data:image/png;base64,%%%", "not base64"),
        ("data:image/png;base64,iVBORw0", "not base64"),
        ("data:image/png;base64,é", "not base64"),
        ("data:image/png,abc", "expected data:…;base64"),
        ("data:", "expected data:…;base64"),
        ("file://[::1/a.png", "no URL of a file"),
        ("file://other.test/a.png", "a file of another machine"),
        ("file:", "not a regular file"),
        ("DATA:;base64,aaaaa", "not base64"),
    ],
)
def test_a_malformed_url_fails_its_row(remote, server: FaultServer, url: str, reason: str):
    result = remote.infer_partial([show(by_url(url)), show(by_url(SENT))])
    assert result.rows == [1]
    assert reason in result.error_messages[0]
    assert sent_urls(server) == [SENT]


def test_a_file_that_only_begins_like_an_image_is_none(remote, server, tmp_path: Path):
    rows = []
    for number, data in enumerate((b"\xff\xd8 TOP SECRET", b"RIFF of a sound", b"\x89PNG", b"")):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(data)
        rows.append(show(by_path(path)))
    messages = remote.infer_partial(rows).error_messages
    assert all("not a PNG, JPEG, GIF or WebP image" in text for text in messages.values())
    assert server.stats()["requests"] == 0


def test_addresses_go_to_the_api_as_they_are(remote, server: FaultServer):
    urls = ["http://169.254.169.254/latest", "https://example.org/a.png?x=1#y", "gs://bucket/a"]
    assert remote.infer_partial([show(by_url(url)) for url in urls]).rows == [0, 1, 2]
    assert sorted(sent_urls(server)) == sorted(urls)


def test_the_setting_is_no_part_of_a_key(remote, server: FaultServer, folder: Path):
    output = folder / "out.jsonl"
    items = by_path(folder / "images" / "a b.png"), by_path("/nowhere/b.png")
    infer_file(remote, folder, *items, output_path=str(output))
    infer_file(remote, folder, *items, output_path=str(output), allowed_media_path="/")
    assert server.stats()["requests"] == 1
    failure = json.loads((folder / "out.jsonl.failures.jsonl").read_text())
    assert (failure["row"], failure["line"]) == (1, 2)


def test_the_folder_follows_from_the_input(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    folders = {
        None: "/",
        "-": ".",
        "in.jsonl": ".",
        "data/in.jsonl": "data",
        str(tmp_path / "in.jsonl"): str(tmp_path),
        str(tmp_path / "pipe"): ".",
    }
    for path, folder in folders.items():
        assert InferenceConfig(input_path=path).media_folder == Path(folder)
        assert InferenceConfig(input_path=path, allowed_media_path="a").media_folder == Path("a")


def test_a_setting_that_is_no_folder_is_an_error():
    with pytest.raises(ValidationError, match=r"\. is the working directory, / allows any file"):
        InferenceConfig(allowed_media_path=" ")
    with pytest.raises(ValidationError, match="max_media_bytes"):
        InferenceConfig(max_media_bytes=0)
