"""Sphinx settings of the documentation."""

from typing import Any

from pydantic import BaseModel
from sphinx.application import Sphinx

import oumi

project = "oumi-infer"
author = "the oumi-infer authors"
project_copyright = "2026, the oumi-infer authors"
version = release = oumi.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
myst_heading_anchors = 3

# The reference is made of docstrings, in which single backticks mean code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_type_aliases = {name: name for name in ("Conversations", "ConversationLike", "Listener")}
nitpick_ignore_regex = [("py:.*", ".*")]  # types of signatures, which are not all in the reference
suppress_warnings = ["ref.python"]  # fields of one name in several classes
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"oumi-infer {release}"
html_show_sphinx = False
html_copy_source = False


def setup(app: Sphinx) -> None:
    """Leave out the signatures of settings and types: their fields are listed below them."""
    app.connect("autodoc-process-signature", _without_fields)


def _without_fields(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    is_model = isinstance(value, type) and issubclass(value, BaseModel)
    return ("", "") if is_model else None
