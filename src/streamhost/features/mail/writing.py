"""Turns a letter of the outbox into a message: the same words as plain text and as HTML."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from streamhost.features.mail.texts import WORDS
from streamhost.late import late
from streamhost.model.branding import Brand, in_mail
from streamhost.model.mail import Letter, MailKind, Message

if TYPE_CHECKING:
    import jinja2
else:
    jinja2 = late("jinja2")

WIDTH = 72
"""Columns of the plain text (RFC 3676, 4.1, and what terminals like)."""
NAME_LENGTH = 60
"""No longer name is greeted."""

_ADDRESS = re.compile(r"https?://\S+")
_ADVERTISING = re.compile(r"[/\\@:]|\w\.\w|www", re.IGNORECASE)
"""What a name that wants to be a link has in it."""


class Writer:
    """Writes mail for one site. `home` is its address, empty if that is not known."""

    def __init__(self, brand: Brand, home: str) -> None:
        self._brand = brand
        self._home = home

    @cached_property
    def _templates(self) -> jinja2.Environment:
        """Made for the first message: most processes only put letters into the outbox."""
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=jinja2.select_autoescape(["html"]),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )
        templates.filters |= {"wrapped": _wrapped, "linked": _linked}
        return templates

    def message(self, letter: Letter) -> Message:
        """What is handed to the mail server."""
        if letter.kind is MailKind.NOTICE:
            return Message(letter.id, letter.recipient, **letter.details)
        words = WORDS[letter.kind]
        details = {"site": _plain(self._brand.name), **{key: _plain(value) for key, value in letter.details.items()}}
        details["name"] = greeted(details.get("name", ""))
        values: Mapping[str, object] = {
            **details,
            "link": details.get("link", ""),
            "home": self._home,
            "brand": in_mail(self._brand, self._home),
            "subject": words.subject.format_map(details),
            "before": [paragraph.format_map(details) for paragraph in words.before],
            "button": words.button,
            "after": [paragraph.format_map(details) for paragraph in words.after],
        }
        return Message(
            id=letter.id,
            recipient=letter.recipient,
            subject=str(values["subject"]),
            text=self._templates.get_template("mail.txt").render(values),
            html=self._templates.get_template("mail.html").render(values),
        )


def greeted(name: str) -> str:
    """A name that may stand in a mail; empty for one that might be an advertisement.

    Strangers choose it, and the address that it is sent to: it must not carry their words to people they do not know.
    """
    return "" if len(name) > NAME_LENGTH or _ADVERTISING.search(name) else name


def _plain(value: str) -> str:
    """Text on one line: no control characters, which could begin a header or hide what is written."""
    shown = "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") else char for char in value)
    return " ".join(shown.split())


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False)


def _linked(paragraph: str) -> Markup:
    """Escaped text in which addresses can be clicked."""
    parts, last = [], 0
    for found in _ADDRESS.finditer(paragraph):
        parts += [escape(paragraph[last : found.start()]), Markup('<a href="{0}">{0}</a>').format(found[0])]
        last = found.end()
    return Markup().join([*parts, escape(paragraph[last:])])
