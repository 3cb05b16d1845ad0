"""What a chat begins with, what it says of itself, and when it starts by itself."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import struct
import zlib
from pathlib import Path

import pytest

from oumi.cli.chat import infer_interactive
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from tests.cli.terminal import Terminal
from tests.fault_server import FaultServer
from tests.remote.talks import PNG

PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
def openai(server: FaultServer) -> tuple[str, ...]:
    """Options for an API that takes images and PDFs."""
    url = ("--remote_params.api_url", server.api_url, "--remote_params.api_key", "k")
    return ("--engine", "OPENAI", "--model.model_name", "gpt-4o", *url)


def asked(server: FaultServer) -> list[list[dict]]:
    """The messages of each request."""
    return [json.loads(one["body"])["messages"] for one in server.stats()["last"]]


def test_images_and_a_system_prompt(tmp_path: Path, server: FaultServer, openai):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.pdf").write_bytes(PDF)
    address = "https://example.org/c.jpg"
    files = [word for name in ("a.png", address, "b.pdf") for word in ("--image", name)]
    options = ("-i", *files, "--system-prompt", "Be short.", *openai)
    with Terminal("infer", *options, cwd=tmp_path, size=(24, 120)) as terminal:
        for line, seen in (
            ("row-1", "answer to row-1"),
            ("row-2", "answer to row-2"),
            ("/reset", "conversation forgotten"),
            ("row-3", "answer to row-3"),
        ):
            terminal.expect_prompt()
            terminal.type(f"{line}\r")
            terminal.expect_screen(seen)
        terminal.expect_prompt()
        terminal.type("/exit\r")
        assert terminal.wait() == 0
    first, second, third = asked(server)
    assert first[0]["content"] == third[0]["content"] == "Be short."
    image, linked, pdf, text = first[1]["content"]
    assert image["image_url"]["url"].endswith(base64.b64encode(PNG).decode())
    assert linked["image_url"]["url"] == address
    assert pdf["file"]["file_data"].endswith(base64.b64encode(PDF).decode())
    assert text["text"] == "row-1"
    assert [message["role"] for message in second] == ["system", "user", "assistant", "user"]
    assert second[3]["content"] == "row-2"
    assert len(third[1]["content"]) == 4


def test_the_pages_of_a_pdf_where_an_engine_takes_images_alone(
    oumi, tmp_path: Path, server: FaultServer, openai
):
    (tmp_path / "b.pdf").write_bytes(two_pages())
    options = tuple("GROQ" if word == "OPENAI" else word for word in openai)
    done = oumi("infer", "-i", "--image", "b.pdf", *options, stdin="row-1\n")
    if importlib.util.find_spec("pypdfium2") is None:
        assert done.returncode == 5
        assert "pip install 'oumi-infer[pdf]'" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    [[message]] = asked(server)
    *pages, text = message["content"]
    images = [base64.b64decode(page["image_url"]["url"].partition(",")[2]) for page in pages]
    sizes = [struct.unpack(">2I", image[16:24]) for image in images]
    assert sizes == [(200, 400), (400, 200)]  # one inch wide and two high, and the other way round
    rows = zlib.decompress(images[0][images[0].index(b"IDAT") + 4 : -16])
    assert rows[:601] == b"\0" + 200 * b"\xff\x00\x00"  # a row of red pixels, behind its filter
    assert text["text"] == "row-1"
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4 broken")
    done = oumi("infer", "-i", "--image", "b.pdf", *options, stdin="row-1\n")
    assert done.returncode == 2
    assert "b.pdf: not a PDF document" in done.stderr


def two_pages() -> bytes:
    """A PDF of a red page and of an empty one. Places are in points: 72 are an inch."""
    red = "1 0 0 rg 0 0 72 144 re f"
    objects = [
        "<</Type /Catalog /Pages 2 0 R>>",
        "<</Type /Pages /Kids [3 0 R 4 0 R] /Count 2>>",
        "<</Type /Page /Parent 2 0 R /MediaBox [0 0 72 144] /Contents 5 0 R>>",
        "<</Type /Page /Parent 2 0 R /MediaBox [0 0 144 72]>>",
        f"<</Length {len(red)}>> stream\n{red}\nendstream",
    ]
    body, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj {content} endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    head = f"xref\n0 6\n0000000000 65535 f \n{table}trailer <</Root 1 0 R /Size 6>>\n"
    return f"{body}{head}startxref\n{len(body)}\n%%EOF\n".encode()


def test_an_engine_without_images_says_so(oumi, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(PNG)
    done = oumi("infer", "-i", "--image", "a.png", stdin="What is this?\n")
    assert done.returncode == 2
    assert "takes no images" in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-i", "--image", "none.png"), "no file 'none.png'"),
        (("--input_path", "in.jsonl", "--image", "none.png"), "--image is for one question"),
        (("in.jsonl", "-o", "text"), "-o is for one question"),
        (("in.jsonl", "--continue"), "there is no last conversation"),
        (("--log-level", "loud"), "'loud' is not one of"),
        (("-c", "llama3.1-8"), "did you mean 'llama3.1-8b'"),
    ],
)
def test_what_does_not_go_together(oumi, args: tuple[str, ...], said: str):
    done = oumi("infer", *args)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_chat_by_the_name_of_a_config(oumi):
    done = oumi("infer", "-i", "-c", "oumi-tiny", "--input_path", "in.jsonl", stdin="Hi\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "in.jsonl is not read" in done.stderr


def test_nothing_named_on_a_terminal_is_a_chat(tmp_path: Path):
    with Terminal("infer", "--generation.max_new_tokens", "8", cwd=tmp_path) as terminal:
        terminal.expect_prompt()
        terminal.type("/exit\r")
        assert terminal.wait() == 0


def test_the_list_of_configs(oumi):
    done = oumi("infer", "--list")
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert lines["llama3.1-8b"] == ["NATIVE", "meta-llama/Llama-3.1-8B-Instruct"]
    assert lines["oumi-tiny"] == ["LLAMACPP", "oumi-tiny"]


def test_how_much_is_said(oumi):
    turn = {"stdin": "Hi\n"}
    verbose = oumi("infer", "-i", "-v", "-c", "oumi-tiny", **turn)
    assert "info: config oumi-tiny: " in verbose.stderr
    assert "  max_new_tokens: 256\n" in verbose.stderr
    warned = ("infer", "-i", "--model.compile", "true")
    assert "warning: ModelParams: without effect" in oumi(*warned, **turn).stderr
    assert "compile" not in oumi(*warned, "--log-level", "ERROR", **turn).stderr
    assert "compile" not in oumi(*warned, "-log", "error", **turn).stderr


def test_verbose_does_not_show_the_key(oumi, server: FaultServer, openai):
    options = tuple("sk-secret-12345" if word == "k" else word for word in openai)
    done = oumi("infer", "-i", "-v", *options, stdin="row-1\n")
    assert done.returncode == 0, done.stderr
    assert "model_name: gpt-4o" in done.stderr
    assert "sk-secret" not in done.stderr + done.stdout


def test_a_chat_as_a_function(server: FaultServer, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"row-1\n")))
    config = InferenceConfig(
        engine="OPENAI",
        model=ModelParams("gpt-4o"),
        remote_params=RemoteParams(api_url=server.api_url, api_key="k"),
    )
    infer_interactive(config, input_image_bytes=[PNG], system_prompt="Be short.", console=None)
    assert "answer to row-1" in capsys.readouterr().out
    [[system, user]] = asked(server)
    assert system["content"] == "Be short."
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]
