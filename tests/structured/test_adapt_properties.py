"""Rewriting does not change what is accepted, for all schemas of the corpus and all profiles."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from oumi.core.json_schema.sources import to_json_schema
from oumi.structured.schema.adapt import adapt
from oumi.structured.schema.profiles import PROFILES, SchemaProfile
from oumi.structured.schema.rewrite import rewrite
from tests.structured.corpus import CORPUS
from tests.structured.samples import values
from tests.structured.values import closed, rewrite_value, satisfies, without_nulls

REWRITING = [
    profile
    for profile in PROFILES
    if profile.rewrites and profile.source and profile.mode == "schema"
]
NAMES = list(CORPUS)
_CHECK = settings(
    max_examples=400,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def _adapted(name: str, profile: SchemaProfile) -> tuple[dict[str, Any], Any, dict[str, Any]]:
    schema = to_json_schema(CORPUS[name])
    adapted = adapt(schema, profile)
    assume(adapted.reason is None)
    rewritten, _ = rewrite(schema, profile)
    return schema, adapted, rewritten


@pytest.mark.slow
@pytest.mark.parametrize("profile", REWRITING, ids=lambda profile: profile.name)
@_CHECK
@given(st.data())
def test_what_a_provider_may_write_is_what_was_asked_for(
    profile: SchemaProfile, data: st.DataObject
):
    name = data.draw(st.sampled_from(NAMES))
    schema, adapted, rewritten = _adapted(name, profile)
    sent = data.draw(values(rewritten))
    assume(satisfies(sent, adapted.schema, adapted.schema))
    value = sent if adapted.restore is None else adapted.restore(sent)
    if not adapted.unenforced:
        assert satisfies(value, schema, schema), (name, sent, value)
    assume(satisfies(value, schema, schema))
    again = next(rewrite_value(value, rewritten, rewritten), ...)
    assert again is not ..., (name, sent, value)
    back = again if adapted.restore is None else adapted.restore(again)
    assert back == value, (name, sent, value, again)


@pytest.mark.slow
@pytest.mark.parametrize("profile", REWRITING, ids=lambda profile: profile.name)
@_CHECK
@given(st.data())
def test_what_was_asked_for_is_what_a_provider_may_write(
    profile: SchemaProfile, data: st.DataObject
):
    name = data.draw(st.sampled_from(NAMES))
    schema, adapted, rewritten = _adapted(name, profile)
    reading = closed(schema) if profile.closed else schema
    value = data.draw(values(schema))
    assume(satisfies(value, reading, reading))
    sent = next(rewrite_value(value, rewritten, rewritten), ...)
    assert sent is not ..., (name, value, adapted.schema)
    assert satisfies(sent, adapted.schema, adapted.schema)
    back = sent if adapted.restore is None else adapted.restore(sent)
    assert without_nulls(back, schema) == without_nulls(value, schema), (name, value, sent)


def test_the_corpus_is_large_and_most_of_it_can_be_strict():
    assert len(CORPUS) >= 300
    openai = [adapt(to_json_schema(schema), REWRITING[0]) for schema in CORPUS.values()]
    assert sum(adapted.strict for adapted in openai) >= 350
    assert all(adapted.strict or adapted.reason for adapted in openai)
