"""Text that others have written, without signs that could disturb a page, a terminal or a log."""

from __future__ import annotations


def printable(text: str) -> str:
    """What of a text can be printed, at one go: line ends and control signs are left out."""
    return "".join(sign for sign in text if sign.isprintable())


def blanked(text: str) -> str:
    """The text on one line: a space stands for each sign that cannot be printed."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def one_line(text: str) -> str:
    """The words of a text with one space between them."""
    return " ".join(blanked(text).split())


def tidied(text: str) -> str:
    """The lines of a text, each without signs that cannot be printed and without spaces around it."""
    return "\n".join(printable(line).strip() for line in text.splitlines()).strip()
