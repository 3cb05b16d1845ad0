"""Adapting changes nothing of what is accepted, for every schema of the corpus and all rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from oumi.core.json_schema import to_json_schema
from oumi.structured.schema.adapt import adapt
from oumi.structured.schema.profiles import PROFILES, SchemaProfile
from oumi.structured.schema.rewrite import rewrite
from tests.structured.corpus import CORPUS
from tests.structured.samples import values
from tests.structured.values import closed, fits, forward, spell_nulls

RULES = [rules for rules in PROFILES if rules.rewrites and rules.source and rules.form == "schema"]
NAMES = list(CORPUS)
_CHECK = settings(
    max_examples=400,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def _adapted(name: str, rules: SchemaProfile) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    schema = to_json_schema(CORPUS[name])
    adapted = adapt(schema, rules)
    assume(adapted.reason is None)
    marked, _ = rewrite(schema, rules)
    return schema, adapted, marked


@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.name)
@_CHECK
@given(st.data())
def test_what_a_provider_may_write_is_what_was_asked_for(rules: SchemaProfile, data: st.DataObject):
    name = data.draw(st.sampled_from(NAMES))
    schema, adapted, marked = _adapted(name, rules)
    sent = data.draw(values(marked))
    assume(fits(sent, adapted.schema, adapted.schema))
    value = sent if adapted.restore is None else adapted.restore(sent)
    if not adapted.unkept:
        assert fits(value, schema, schema), (name, sent, value)
    assume(fits(value, schema, schema))
    again = next(forward(value, marked, marked), ...)
    assert again is not ..., (name, sent, value)
    back = again if adapted.restore is None else adapted.restore(again)
    assert back == value, (name, sent, value, again)


@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.name)
@_CHECK
@given(st.data())
def test_what_was_asked_for_is_what_a_provider_may_write(rules: SchemaProfile, data: st.DataObject):
    name = data.draw(st.sampled_from(NAMES))
    schema, adapted, marked = _adapted(name, rules)
    reading = closed(schema) if rules.closed else schema
    value = data.draw(values(schema))
    assume(fits(value, reading, reading))
    sent = next(forward(value, marked, marked), ...)
    assert sent is not ..., (name, value, adapted.schema)
    assert fits(sent, adapted.schema, adapted.schema)
    back = sent if adapted.restore is None else adapted.restore(sent)
    assert spell_nulls(back, schema) == spell_nulls(value, schema), (name, value, sent)


def test_the_corpus_is_large_and_most_of_it_can_be_strict():
    assert len(CORPUS) >= 300
    openai = [adapt(to_json_schema(schema), RULES[0]) for schema in CORPUS.values()]
    assert sum(adapted.strict for adapted in openai) >= 350
    assert all(adapted.strict or adapted.reason for adapted in openai)
