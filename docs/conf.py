"""Sphinx settings of the documentation."""

import oumi

project = "oumi-infer"
author = "the oumi-infer authors"
project_copyright = "2026, the oumi-infer authors"
version = release = oumi.__version__

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"oumi-infer {release}"
html_show_sphinx = False
html_copy_source = False
