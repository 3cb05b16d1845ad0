"""Prompts as templates over the columns of rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import InferenceConfig
from oumi.errors import ConfigError
from tests.data.test_shapes import error_of, only, source_of


def asked(prompt: str, **row: Any) -> Any:
    return only([row], prompt=prompt)[0].content


def test_columns_by_name_and_by_row():
    assert asked("Translate: {{ text }}!", text="<b>hi</b>") == "Translate: <b>hi</b>!"
    assert asked('{{ row["my text"] | upper }}', **{"my text": "hi"}) == "HI"
    assert asked("{{ tags | tojson }} {{ n + 1 }}", tags=["<é>"], n=2) == '["<é>"] 3'


def test_what_a_row_holds_is_no_template():
    assert asked("{{ text }}", text="{{ 7 * 7 }}{% raw %}") == "{{ 7 * 7 }}{% raw %}"


def test_a_file_goes_over_the_turns_of_a_chat(tmp_path: Path):
    file = tmp_path / "prompt.jinja"
    file.write_text("Sum up:\n{% for turn in messages %}\n{{ turn.role }}: {{ turn.content }}\n"
                    "{% endfor %}\n")  # fmt: skip
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
    found = only([{"messages": turns}], prompt_file=str(file))
    assert [m.content for m in found] == ["Sum up:\nuser: hi\nassistant: ho\n"]


def test_a_system_message_is_a_template_too():
    found = only([{"prompt": "hi", "who": "Ann"}], system="You are {{ who }}.")
    assert [m.content for m in found] == ["You are Ann.", "hi"]


def test_a_column_that_is_written_out_is_nothing_else():
    row = {"temperature": 21.5, "system": "solar", "seed": 3}
    source = source_of([row], prompt="{{ temperature }} degrees in the {{ system }} system?")
    [found] = source.rows()
    assert found.conversation is not None
    assert [m.content for m in found.conversation] == ["21.5 degrees in the solar system?"]
    assert found.generation is not None
    assert found.generation.model_dump(exclude_unset=True) == {"seed": 3}


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("{{ txet }}", r"prompt: 'txet' is no column; did you mean 'text'\? The columns are: text"),
        ('{{ row["txet"] }}', r"'txet' is no column; did you mean 'text'\?"),
        ("{{ row.zzz }}", r"'zzz' is no column. The columns are: text"),
        ("{% if %}", "prompt: wrong syntax in line 1"),
        ("a\n{{ text", "prompt: wrong syntax in line 2"),
        ("{{ text | nofilter }}", "prompt: wrong syntax in line 1: No filter named 'nofilter'"),
    ],
)
def test_a_template_that_fits_no_row_is_refused_at_once(prompt: str, said: str):
    with pytest.raises(ConfigError, match=said):
        source_of([{"text": "a"}], prompt=prompt)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("{{ text }}", "a value is null"),
        ("{{ text.upper() }}", "'None' has no attribute 'upper'"),
        ("{{ ().__class__.__mro__ }}", "not allowed in a template"),
        ("{{ text.__class__ }}", "not allowed in a template"),
        ("{{ 1 / 0 }}", "cannot be rendered: ZeroDivisionError"),
        ("{% for i in range(10000000) %}x{% endfor %}", "cannot be rendered: OverflowError"),
    ],
)
def test_a_row_that_cannot_be_rendered_fails_alone(prompt: str, said: str):
    assert said in error_of([{"text": None}], prompt=prompt)


def test_a_null_may_be_provided_for():
    assert asked('{{ text or "nothing" }}', text=None) == "nothing"
    assert asked("{% if more is defined %}{{ more }}{% else %}-{% endif %}", text="a") == "-"


def test_what_does_not_go_together(tmp_path: Path):
    with pytest.raises(ValueError, match="give prompt or prompt_file, not both"):
        InferenceConfig(prompt="a", prompt_file="b")
    with pytest.raises(ConfigError, match=r"prompt_file: .*cannot be read"):
        source_of([{"text": "a"}], prompt_file=str(tmp_path / "none.jinja"))
