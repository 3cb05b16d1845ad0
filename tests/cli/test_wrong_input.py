"""What is wrong with settings or input is said with its place, before anything is written."""

import random

import pytest

GOOD = b'{"messages": [{"role": "user", "content": "Hello"}], "conversation_id": "a"}\n'
NOISE = random.Random(7).randbytes(1 << 20)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD + b'{"messages": [{"role": "us', "in.jsonl:2: not JSON"),
        (GOOD + GOOD.replace(b"user", b"boss"), "in.jsonl:2: messages.0.role"),
        (b"", "in.jsonl: no conversations"),
        (b"\n\n", "in.jsonl: no conversations"),
        (NOISE, "in.jsonl:1: not JSON"),
        (GOOD + b"\n" + GOOD, "in.jsonl:3: conversation_id 'a' stands already at in.jsonl:1"),
    ],
    ids=["torn line", "bad role", "empty", "blank", "noise", "twin ids"],
)
def test_input(oumi, tmp_path, content: bytes, said: str) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    done = oumi("infer", "--input_path", "in.jsonl", "--output_path", "out.jsonl")
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 3000
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_standard_input(oumi) -> None:
    done = oumi("infer", "--input_path", "-", stdin=GOOD + b"{")
    assert done.returncode == 2
    assert "standard input:2: not JSON" in done.stderr


def test_missing_input_file(oumi) -> None:
    done = oumi("infer", "--input_path", "in.jsonl", "--output_path", "out.jsonl")
    assert (done.returncode, done.stdout) == (2, "")
    assert "in.jsonl: cannot be read: No such file" in done.stderr


def test_no_conversations_named(oumi) -> None:
    done = oumi("infer")
    assert done.returncode == 2
    assert "--input_path" in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            ("-c", "good.yaml", "--generation.temprature", "1"),
            "error: --generation.temprature: unknown setting; did you mean 'temperature'?",
        ),
        (("--input-pat", "x"), "No such option --input-pat. Did you mean --input_path"),
        (("--quite",), "No such option --quite. Did you mean --quiet?"),
        (("--top_p", "1"), "No such option --top_p. Did you mean --generation.top_p?"),
        (("--temprature=1",), "Did you mean --temperature or --generation.temperature"),
        (("--generation.seed",), "--generation.seed needs a value"),
        (("--generation.top_p", "2"), "generation.top_p: Input should be less than or equal to 1"),
        (("--engine", "LAMACPP", "-i"), "engine: "),
        (("-c", "missing.yaml"), "missing.yaml: cannot be read"),
        (("-c", "torn.yaml"), "torn.yaml: not YAML"),
        (("-c", "wrong.yaml"), "wrong.yaml:3: generation.max_new_token: unknown setting; did you"),
        (("--generation.num_beams", "2", "hi"), "LLAMACPP cannot honour generation.num_beams"),
        (("--model.model_name", "missing.gguf", "hi"), "missing.gguf"),
    ],
)
def test_settings(oumi, tmp_path, args: tuple[str, ...], said: str) -> None:
    (tmp_path / "good.yaml").write_text("generation:\n  seed: 1\n")
    (tmp_path / "torn.yaml").write_text("generation: {\n")
    (tmp_path / "wrong.yaml").write_text("generation:\n  seed: 1\n  max_new_token: 4\n")
    done = oumi("infer", *args)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
