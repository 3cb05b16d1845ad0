"""Schemas in short."""

import pytest

from oumi.core.configs import GuidedDecodingParams
from oumi.core.json_schema.short_form import is_short_form, parse_short_form


def test_fields_types_and_descriptions() -> None:
    schema = parse_short_form("name, age int, tags list[str], note?: how it went")
    assert schema["required"] == ["name", "age", "tags"]
    assert schema["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}
    assert schema["properties"]["note"] == {"type": "string", "description": "how it went"}


def test_one_field_a_line_may_have_commas_in_its_description() -> None:
    schema = parse_short_form("name: first, then last\n\nage int\n")
    assert schema["properties"]["name"]["description"] == "first, then last"
    assert list(schema["properties"]) == ["name", "age"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name, age in", "no type 'in'"),
        ("name, tags list[list]", "no type 'list'"),
        ("name, name", "given twice"),
        ("name, 1st int", "expected a name"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("[", r"\[")):
        parse_short_form(text)


def test_a_path_is_no_short_form(tmp_path) -> None:
    assert not is_short_form("person.json")
    assert not is_short_form("/schemas/person")
    assert is_short_form("name")
    file = tmp_path / "person"
    file.write_text('{"type": "integer"}')
    assert GuidedDecodingParams(json=str(file)).json == {"type": "integer"}


def test_settings_take_it() -> None:
    schema = GuidedDecodingParams(json="name, age int").json
    assert schema["properties"]["age"] == {"type": "integer"}
