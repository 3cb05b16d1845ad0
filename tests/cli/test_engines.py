"""`oumi engines`."""

import json

from oumi.backends.registry import engine_rows, find_engine


def test_table(oumi) -> None:
    done = oumi("engines")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == [
        row.name for row in engine_rows()
    ]


def test_json(oumi) -> None:
    engines = {facts["engine"]: facts for facts in json.loads(oumi("engines", "--json").stdout)}
    assert engines.keys() == {row.name for row in engine_rows()}
    assert engines["LLAMACPP"]["installed"] is True
    one = json.loads(oumi("engines", "llamacpp", "--json").stdout)
    assert one == engines["LLAMACPP"]


def test_one_engine(oumi) -> None:
    said = oumi("engines", "LLAMACPP").stdout
    assert all(f"  {name}\n" in said for name in find_engine("LLAMACPP").supports)


def test_misspelt(oumi) -> None:
    done = oumi("engines", "LAMACPP")
    assert done.returncode == 2
    assert "did you mean LLAMACPP?" in done.stderr


def test_how_to_install_is_shown_as_it_is_typed(oumi) -> None:
    lines = oumi("engines").stdout.splitlines()[1:]
    for row in engine_rows():
        line = next(line for line in lines if line.startswith(f"{row.name} "))
        assert row.is_installed() or row.install in line


def test_an_engine_behind_an_api_says_where_it_is(oumi) -> None:
    said = oumi("engines", "gemini").stdout
    assert said.startswith("GOOGLE_GEMINI: ")
    assert "GEMINI_API_KEY or GOOGLE_API_KEY, needed" in said
    api = json.loads(oumi("engines", "DEEPSEEK", "--json").stdout)["api"]
    assert api["url"] == "https://api.deepseek.com/v1"
    assert api["key_variables"] == ["DEEPSEEK_API_KEY"]
    assert api["takes_images"] is False
