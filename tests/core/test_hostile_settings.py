"""Settings made to break whatever reads them: each is an error that names the place, at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oumi.core.configs import GuidedDecodingParams, InferenceConfig
from oumi.errors import ConfigError


def bomb(indent: str) -> str:
    """Nine lists, each of nine times the one before."""
    lines = [f"{indent}a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{indent}a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    return "\n".join(lines)


FILES = {
    "holds itself": ("model: &a\n  model_kwargs: *a\n", "line 1: an alias stands for what it is"),
    "merges itself": ("model: &a\n  <<: *a\n", "an alias stands for what it is part of"),
    "deep lists": ("model: " + "[" * 50_000, "nested deeper than 100 levels"),
    "deep maps": ("model: " + "{a: " * 3_000, "nested deeper than 100 levels"),
    "deep blocks": ("model:\n  " + "- " * 3_000 + "1", "nested deeper than 100 levels"),
    "aliases": (f"model:\n  model_kwargs:\n{bomb('    ')}", "line 8: with its aliases written out"),
    "a chain of aliases": (
        "a0: &a0 [1]\n" + "\n".join(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 2_000)),
        "aliases written out, more than 100,000 values or 100 levels",
    ),
    "a schema of aliases": (
        f"generation:\n  guided_decoding:\n    json:\n{bomb('      ')}",
        "with its aliases written out",
    ),
    "infinite": ("generation:\n  temperature: .inf", ":2: generation.temperature: .*finite"),
    "not a number": ("remote_params: {politeness_policy: .nan}", ":1: remote_params.polit.*finite"),
    "infinite within": (
        "model:\n  model_kwargs: {a: [-.inf]}",
        r"model.model_kwargs.a.0: .*finite",
    ),
    "thousands of digits": ("generation: {seed: " + "9" * 5_000 + "}", "4300 digits"),
    "a 13th month": ("generation: {seed: 2001-13-01}", "month must be in"),
    "too long": ("model: {model_name: " + "a" * 300_000 + "}", "longer than 250,000 bytes"),
    "a header in an address": ('remote_params: {api_url: "http://h/v1\\r\\nX: y"}', "line break"),
    "a header in a replica": ('remote_params: {api_url: [h, "h\\nX: y"]}', "line break"),
    "no port": ("remote_params: {api_url: 'http://h:99999/'}", "api_url: not an address"),
    "half an IPv6 address": ("remote_params: {api_url: 'http://[::1/'}", "api_url: not an address"),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_an_error(tmp_path: Path, name: str):
    text, message = FILES[name]
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        InferenceConfig.from_yaml(path)
    assert str(path) in str(caught.value)
    assert "hush" not in str(caught.value)
    assert len(str(caught.value)) < 1_000


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "missing"])
def test_what_is_not_a_file_is_not_read(tmp_path: Path, kind: str):
    path = {"device": Path("/dev/zero"), "folder": tmp_path}.get(kind, tmp_path / kind)
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(ConfigError, match=str(path)):
        InferenceConfig.from_yaml(path)
    with pytest.raises(ValueError, match=str(path)):
        GuidedDecodingParams(json=path)


def test_an_alias_is_read_as_what_it_stands_for(tmp_path: Path):
    path = tmp_path / "run.yaml"
    path.write_text("model:\n  model_kwargs: &a {x: [1, 2]}\n  chat_template_kwargs: *a\n")
    config = InferenceConfig.from_yaml(path)
    assert config.model.model_kwargs == config.model.chat_template_kwargs == {"x": [1, 2]}
