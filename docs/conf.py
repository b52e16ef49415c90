"""How Sphinx makes a site of these pages: `make site`. The pages are plain Markdown, which any viewer shows as well."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
SECTIONS = {
    "Learn": "tutorials",
    "Do": "how-to",
    "Look up": "reference",
    "Understand": "explanation",
}
"""The headings of the index (Diátaxis), and the folder of each."""
OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?:\.\./)([^)]+)\)")
"""A link to a file of the source that is no page: `[words](../../examples/s3/README.md)`."""

project = "streamhost"
project_copyright = "the streamhost authors, Apache-2.0"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["pictures"]
root_doc = "index"
html_theme = "furo"
html_title = "streamhost"
html_favicon = "../web/src/logo.svg"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6a57", "color-brand-content": "#0b6a57"},
    "dark_css_variables": {"color-brand-primary": "#5ed6b7", "color-brand-content": "#5ed6b7"},
}
myst_heading_anchors = 4
# Code in languages that no highlighter here knows is shown as it is.
suppress_warnings = ["misc.highlighting_failure"]
nitpicky = True


def prepare(_app: Sphinx, page: str, source: list[str]) -> None:
    """Name files of the source instead of linking to them, and give the index the tree of pages."""
    source[0] = OUTSIDE.sub(r"\1 (`\2` in the source)", source[0])
    if page == root_doc:
        for heading, folder in SECTIONS.items():
            linked = re.findall(rf"\(({folder}/[^)#]+)\.md\)", source[0])
            pages = "\n".join(dict.fromkeys(linked))
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{pages}\n```\n"


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("source-read", prepare)
