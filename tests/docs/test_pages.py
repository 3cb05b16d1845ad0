"""The pages are up to date, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import engine_tables
import generate
import pytest

import oumi
from oumi import errors
from oumi.backends.local.llama_cpp import params
from oumi.backends.registry import own_rows
from oumi.backends.remote import errors as remote_errors
from oumi.backends.remote.model_families import FAMILIES, family_of
from oumi.batch.local import lifecycle, process
from oumi.core.configs.base import Settings
from oumi.core.configs.remote_params import RemoteParams
from oumi.runner.limits.tuning import TUNING
from tests.docs.pages import PAGES, ROOT, anchors, prose


def test_generated_parts_are_up_to_date() -> None:
    stale = [file.name for file in generate.stale_files()]
    assert not stale, f"run `python docs/generate.py`: {', '.join(stale)} are out of date"


def test_every_group_of_settings_is_in_the_reference() -> None:
    known = {group for group in Settings.__subclasses__() if ".configs." in group.__module__}
    assert set(generate.GROUPS.values()) == known


def test_version_is_that_of_the_changelog() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(\d[^\]]*)\]", changes, re.MULTILINE)
    assert versions[0] == oumi.__version__


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name}: {target}"


def test_every_page_is_in_the_contents() -> None:
    contents = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.stem == "index" or f"]({page.name})" in contents


def test_contributing_names_the_targets_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = re.findall(r"^(\w[\w-]*):.*##", makefile, re.MULTILINE)
    assert sorted(targets) == sorted(re.findall(r"^\| `make ([\w-]+)`", table, re.MULTILINE))


def test_engines_page_has_the_defaults_of_llama_cpp() -> None:
    page = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    tiny = params._EMBEDDED
    slots = f"| {tiny['n_parallel']} | {params.DEFAULT_SLOTS} |"
    context = f"| {tiny['n_ctx']} | {params.DEFAULT_CONTEXT} |"
    assert slots in page
    assert context in page


def test_settings_of_the_table_are_all_there_are() -> None:
    shown = re.findall(r"^\| `([\w.]+)` \|", engine_tables.engine_settings(), re.MULTILINE)
    for row in own_rows():
        assert row.supports | row.ignores <= set(shown), row.name


def test_providers_page_names_what_model_families_do_not_take() -> None:
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    for family in FAMILIES:
        assert f"`{family.max_tokens_field}`" in page
        assert all(f"`{name}`" in page for name in family.fixed)
    assert all(family_of(name).fixed for name in ("o1", "o3-mini", "openai/gpt-5-nano"))
    for name in ("gpt-5-chat", "deepseek-ai/DeepSeek-R1", "grok-4-1-fast-non-reasoning"):
        assert not family_of(name).fixed


def test_remote_page_has_the_defaults() -> None:
    page = (ROOT / "docs" / "remote.md").read_text(encoding="utf-8")
    params = RemoteParams()
    assert f"in flight at once, {params.num_workers} if you leave it out" in page
    assert f"begins with {TUNING.initial_window_requests} in flight" in page


def test_batch_page_has_the_figures_of_local_jobs() -> None:
    page = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
    assert f"What is in flight has {process.GRACE_S:g} of" in page
    assert f"ends {lifecycle._MOST_STARTS} times in a row" in page


def test_remote_page_names_the_statuses() -> None:
    page = (ROOT / "docs" / "remote.md").read_text(encoding="utf-8")
    assert f"| Status {_listed(remote_errors._RETRIED)}, 500 and above | Tried again. |" in page
    assert f"({_listed(errors.OVERLOADED)})" in page


def _listed(statuses: set[int]) -> str:
    return ", ".join(str(status) for status in sorted(statuses))


@pytest.mark.parametrize("name", ["docs/how_it_works.md", "CONTRIBUTING.md"])
def test_files_that_a_page_names_exist(name: str) -> None:
    page = (ROOT / name).read_text(encoding="utf-8")
    for file in re.findall(r"`(\w[\w/]*(?:\.py|/))`", page):
        places = ROOT / "src" / "oumi" / file, ROOT / "src" / file, ROOT / file
        assert "NAME" in file or any(place.exists() for place in places), file


def test_each_test_that_a_promise_names_is_there() -> None:
    text = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[^`]+)`", text)
    assert named
    assert not [path for path in named if not (ROOT / path).exists()]
