"""Mails of notices: words as plain text and as HTML, by templates that a site may replace.

A file in the folder of the site's own templates takes the place of the one of that name here. For a notice of a kind,
`<kind>.txt`, `<kind>.html` and `<kind>.subject.txt` are looked for before `notice.*`; several notices together are
written by `digest.*`. Templates run in a sandbox: they can lay out what they are given, and reach nothing else. One
that fails is named in the log, and the built-in one is used: a mistake in it must not keep people from their mail.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamhost import log
from streamhost.late import late
from streamhost.model.branding import Brand, in_mail
from streamhost.model.notices import Notice

if TYPE_CHECKING:
    import jinja2
    from jinja2 import sandbox
else:
    jinja2, sandbox = late("jinja2"), late("jinja2.sandbox")

WIDTH = 72
"""Columns of the plain text (RFC 3676, 4.1)."""
SHOWN = 40
"""How many notices one mail names; the rest is counted."""
SUBJECT_LENGTH = 200
BUILT_IN = Path(__file__).with_name("templates")

_logger = log.get("notifications")


@dataclass(frozen=True, slots=True)
class WrittenMail:
    """A mail as it is to be sent. `unsubscribe` is the link that ends such mail."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    unsubscribe: str = field(repr=False)


class NoticeWriter:
    """Writes mails for one site. `home` is its address, `own` the folder where its own templates may be."""

    def __init__(self, brand: Brand, home: str, own: Path) -> None:
        self._brand = brand
        self._home = home
        self._folder = own

    @cached_property
    def _built_in(self) -> jinja2.Environment:
        return _environment(jinja2.FileSystemLoader(BUILT_IN))

    @cached_property
    def _own(self) -> jinja2.Environment:
        """With the site's own templates before ours."""
        places = [jinja2.FileSystemLoader(folder) for folder in (self._folder, BUILT_IN)]
        return _environment(jinja2.ChoiceLoader(places))

    def mail(self, notices: Sequence[Notice], name: str, unsubscribe: str) -> WrittenMail:
        """One mail of one or several notices, oldest first."""
        shown = [_view(notice) for notice in notices[:SHOWN]]
        values: dict[str, Any] = {
            "site": plain(self._brand.name),
            "brand": in_mail(self._brand, self._home),
            "home": self._home,
            "name": plain(name),
            "unsubscribe": unsubscribe,
            "preferences": f"{self._home}/account/notifications",
            "notices": shown,
            "notice": shown[0],
            "count": len(notices),
            "more": len(notices) - len(shown),
        }
        bases = [str(notices[0].kind), "notice"] if len(notices) == 1 else ["digest"]
        values["subject"] = plain(self._render([f"{base}.subject.txt" for base in bases], values))[:SUBJECT_LENGTH]
        text = self._render([f"{base}.txt" for base in bases], values)
        html = self._render([f"{base}.html" for base in bases], values)
        return WrittenMail(str(values["subject"]), text, html, unsubscribe)

    def _render(self, names: Sequence[str], values: Mapping[str, Any]) -> str:
        try:
            return self._own.select_template(list(names)).render(values)
        # What a template of the site's own does wrong may end in any error.
        except Exception as error:
            where = getattr(error, "name", None) or names[0]
            line = error.lineno if isinstance(error, jinja2.TemplateError) and hasattr(error, "lineno") else None
            _logger.warning(
                "A template cannot be used; the built-in one is taken",
                action="template_failed",
                template=where,
                line=line,
                error=f"{type(error).__name__}: {error}",
            )
            return self._built_in.select_template(list(names)).render(values)


def _environment(loader: jinja2.BaseLoader) -> jinja2.Environment:
    environment = sandbox.ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrapped"] = _wrapped
    return environment


def _view(notice: Notice) -> dict[str, Any]:
    """What a template may use of a notice."""
    return {
        "kind": str(notice.kind),
        "title": plain(notice.title),
        "text": plain(notice.text),
        "action": notice.action,
        "link": notice.link,
        "urgent": notice.urgency == "high",
        "data": dict(notice.data),
    }


def plain(text: str) -> str:
    """Text on one line: no control characters, which could begin a header or hide what is written."""
    shown = "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") else char for char in text)
    return " ".join(shown.split())


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False)
