"""The pages are up to date, and their links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

import oumi
from oumi.core.configs.base import Settings
from oumi.inference.local.llama_cpp import params
from tests.docs.pages import PAGES, ROOT, anchors, prose


def _generator() -> object:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_parts_are_up_to_date() -> None:
    stale = [page.name for page in _generator().stale_pages()]
    assert not stale, f"run `python docs/generate.py` for {stale}"


def test_every_group_of_settings_is_in_the_reference() -> None:
    groups = set(_generator().GROUPS.values())
    assert groups == set(Settings.__subclasses__())


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


def test_how_it_works_names_files_that_exist() -> None:
    page = (ROOT / "docs" / "how_it_works.md").read_text(encoding="utf-8")
    for name in re.findall(r"`(\w[\w/]*(?:\.py|/))`", page):
        assert (ROOT / "src" / "oumi" / name).exists(), name
