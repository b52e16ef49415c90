"""What mail says: both forms the same, nothing of strangers' words that could mislead."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from streamhost.features.mail import Writer
from streamhost.features.mail.texts import WORDS
from streamhost.features.mail.writing import greeted
from streamhost.model.branding import Brand
from streamhost.model.ids import MailId
from streamhost.model.mail import Letter, MailKind, Message

LINK = "https://video.example.org/verify?token=a-b_c&next=/x"


class Page(HTMLParser):
    """The words and links of an HTML mail."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note tags and where they lead."""
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "background")]

    def handle_data(self, data: str) -> None:
        """Note words."""
        self.words += data.split()


def written(kind: MailKind = MailKind.VERIFY_EMAIL, site: str = "Film club", **details: str) -> Message:
    """A mail with these details."""
    values = {"name": "Alice", "link": LINK, "expires": "24 hours", **details}
    letter = Letter(MailId("letter1"), kind, "alice@example.org", 0.0, values)
    return Writer(Brand(site), "https://video.example.org").message(letter)


@pytest.mark.parametrize("kind", WORDS)
def test_every_kind_says_the_same_twice(kind: MailKind) -> None:
    """Each mail has a subject, and every word of its text in both forms, with nothing left unfilled."""
    message = written(kind)
    page = Page(message.html)
    assert message.subject and "\n" not in message.subject
    assert "Hello Alice," in message.text
    missing = [word for word in message.text.split() if word not in page.words and word not in ("--", "-")]
    assert [word for word in missing if not word.endswith(":") and not word.startswith("http")] == []
    assert not re.search(r"[{}]", message.text + page.words.__str__())
    assert (LINK in message.text) == ("link" in WORDS[kind].needs())
    assert (LINK in page.links) == ("link" in WORDS[kind].needs())
    assert all(len(line) <= 78 or "http" in line for line in message.text.splitlines())


def test_nothing_is_loaded_from_anywhere() -> None:
    """The HTML has no pictures, scripts or styles from outside: nobody learns that it was opened."""
    page = Page(written().html)
    assert not page.tags & {"img", "script", "link", "iframe", "object", "style"}
    assert {link for link in page.links if not link.startswith("https://video.example.org")} == set()


def test_names_are_no_markup() -> None:
    """Whatever a name or a site is called, it is text in the HTML."""
    message = written(site="<b>R&D</b>", name='<img src=x onerror="alert(1)">')
    assert "<b>" not in message.html and "<img" not in message.html
    assert "R&amp;D" in message.html
    assert "<b>R&D</b>" in message.text


@pytest.mark.parametrize(
    "name",
    ["Win money at http://evil.example", "evil.example", "www evil", "call me@evil", "x" * 61, "a\\b", "Klick: hier"],
)
def test_names_do_not_advertise(name: str) -> None:
    """Strangers choose a name and whose address it is sent to: one that could be a message or a link is left out."""
    message = written(name=name)
    assert name not in message.text and name not in message.html
    assert "Hello,\n" in message.text


@pytest.mark.parametrize("name", ["Alice", "Zoë Müller-Lüdenscheidt", "李小龍", "Dr. Who", "O'Brien, Jr.", "J. R. R."])
def test_ordinary_names_are_greeted(name: str) -> None:
    """Names of people stand in the greeting."""
    assert greeted(name) == name
    assert f"Hello {name}," in written(name=name).text


def test_no_control_characters() -> None:
    """Line breaks and characters that turn the direction of writing do not get into headers or text."""
    message = written(site="Film\r\nBcc: eve@example.org", name="A\u202elice\x00")
    assert message.subject == "Confirm your address for Film Bcc: eve@example.org"
    assert "\u202e" not in message.text and "\x00" not in message.html


def test_braces_in_names_are_text() -> None:
    """A name with braces is not taken for something to fill in."""
    assert "Hello {link.__class__}," not in written(name="{link.__class__}").text
    assert "Hello {expires}," in written(name="{expires}").text
