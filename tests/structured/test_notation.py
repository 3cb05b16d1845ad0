"""Grammars in GBNF, Lark and EBNF, told apart by their syntax; long choices."""

from __future__ import annotations

import pytest

from oumi.core.configs import GuidedDecodingParams
from oumi.errors import ConfigError, OumiError
from oumi.structured.contract import make_contract
from oumi.structured.repair_prompt import repair_messages
from oumi.structured.sampler.grammar import to_lark
from tests.conftest import short

LARK_OF_SQL = """?start: select
!select: "SELECT " col ("," col)*  // a comment with "
?col: /[a-z]+/
"""


def takes(text: str, **guided: object) -> bool:
    """Whether a text is of the form, by the grammar that samplers keep to."""
    form = GuidedDecodingParams(**guided)
    assert to_lark(form)
    generation = short().generation.model_copy(update={"guided_decoding": form})
    return make_contract(generation).is_valid(text)


@pytest.mark.parametrize(
    ("grammar", "good", "bad"),
    [
        ('root ::= "x"\n  | "y"\n', "y", "z"),
        ('root ::= "a"{2,} "b"{,2}\n', "aaabb", "ab"),
        ('root ::= start end\nstart ::= "a"\nend ::= "b"\n', "ab", "a"),
        ('root ::= "\\u00e9" "\\U0001F600" [\\u4e00-\\u9fff]{2}\n', "é😀東京", "e😀東京"),
        ('root ::= "#" "a" # it\'s "one\n', "#a", "#"),
        ('root ::= "start: " item\nitem ::= [^\\n"]+\n', "start: x", "start: "),
        ('start: "root ::= " /[a-z]+/\n', "root ::= a", "root"),
        (LARK_OF_SQL, "SELECT a,b", "SELECT"),
        ('%import common.INT\nstart: INT ("+" INT)*\n', "1+2", "1+"),
        ('root = "a" | "b" ;', "b", "c"),
        ("list = item, {\",\", item} ; (* items *)\nitem = 'x' | [ 'y' ], 'z' ;", "x,yz,z", "x,"),
    ],
)
def test_each_notation_by_its_syntax(grammar: str, good: str, bad: str):
    assert takes(good, grammar=grammar)
    assert not takes(bad, grammar=grammar)


@pytest.mark.parametrize(
    ("guided", "reason"),
    [
        ({"grammar": "just some words"}, r"expected rules such as `root ::= …` \(GBNF\)"),
        ({"grammar": 'start ::= "a"'}, "it has no rule `root`"),
        ({"grammar": 'root: "a"'}, "it has no rule `start`"),
        ({"grammar": "root ::= foo"}, "Rule 'foo' not found"),
        ({"grammar": 'root ::= "a"', "grammar_format": "lark"}, "it has no rule `start`"),
        ({"grammar": 'start: "a"', "grammar_format": "gbnf"}, "it has no rule `root`"),
        ({"grammar": 'root ::= <[1]> "a"'}, "Expected name at line 1"),
    ],
)
def test_what_is_wrong_with_a_grammar_is_said(guided: dict[str, str], reason: str):
    with pytest.raises((ConfigError, OumiError), match=reason):
        to_lark(GuidedDecodingParams(**guided))


def test_a_choice_of_thousands_is_kept():
    choices = [f"item number {i}" for i in range(5_000)]
    assert takes("item number 4711", choice=choices)
    assert not takes("item number 5000", choice=choices)


@pytest.mark.parametrize(
    "text",
    ["a/b", "a\nb", "tab\t", "nul\0", "é👨‍👩‍👧", "<think>", "a.b|c*", "[a] & ~b-c", '"', "\\", "#"],
)
def test_any_text_may_be_chosen(text: str):
    assert takes(text, choice=[text, "other"])
    assert takes("other", choice=[text, "other"])


def test_a_repair_prompt_lists_no_more_than_fits():
    few, many = (GuidedDecodingParams(choice=[f"c{i}" for i in range(n)]) for n in (3, 9_000))
    assert '"c0", "c1", "c2"' in repair_messages(few, "x", "wrong")[1].content
    request = repair_messages(many, "x", "wrong")[1].content
    assert len(request) < 3_000
    assert "more of the same kind" in request
