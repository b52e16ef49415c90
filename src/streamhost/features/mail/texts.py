"""The words of every mail, once: the text and the HTML form are made of the same.

`{name}`, `{site}`, `{link}`, `{expires}` and other details stand for what the caller hands in. `expires` is a span in
words, such as `24 hours`.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

from streamhost.model.mail import MailKind

ALWAYS = frozenset({"name", "site"})
"""Details that every mail has; the mail room fills them in where the caller leaves them out."""


@dataclass(frozen=True, slots=True)
class Words:
    """One mail: the subject, paragraphs before and after the button, and the button's label if it has one."""

    subject: str
    before: tuple[str, ...]
    button: str = ""
    after: tuple[str, ...] = ()

    def needs(self) -> frozenset[str]:
        """The details that must be handed in."""
        text = " ".join((self.subject, *self.before, self.button, *self.after))
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        return frozenset(names | ({"link"} if self.button else set())) - ALWAYS


_NOT_YOU = "If this was not you, somebody may know your password. Set a new one now: {link}"

WORDS: Mapping[MailKind, Words] = {
    MailKind.VERIFY_EMAIL: Words(
        "Confirm your address for {site}",
        ("Somebody, you we hope, made an account at {site} with this address.",),
        "Confirm this address",
        (
            "The link works once, for {expires}.",
            "If it was not you, do nothing: without this step the account stays shut.",
        ),
    ),
    MailKind.ADDRESS_TAKEN: Words(
        "You have an account at {site} already",
        (
            "Somebody, you perhaps, tried to make an account at {site} with this address.",
            "It has one already, so nothing was changed.",
        ),
        "Sign in",
        ("If you have forgotten your password, the sign-in page helps. If it was not you, do nothing.",),
    ),
    MailKind.RESET_PASSWORD: Words(
        "Set a new password for {site}",
        ("Somebody, you we hope, asked to set a new password for your account at {site}.",),
        "Set a new password",
        (
            "The link works once, for {expires}. Afterwards you are signed out everywhere.",
            "If it was not you, do nothing: your password stays as it is.",
        ),
    ),
    MailKind.CHANGE_EMAIL: Words(
        "Confirm your new address for {site}",
        ("Somebody, you we hope, wants to use this address for an account at {site}.",),
        "Use this address",
        (
            "The link works once, for {expires}. Until you follow it, the old address stays in use.",
            "If it was not you, do nothing.",
        ),
    ),
    MailKind.EMAIL_CHANGED: Words(
        "The address of your account at {site} was changed",
        (
            "Your account at {site} belongs to another address now, and mail about it goes there from now on.",
            "If this was not you, tell the people who run {site} at once.",
        ),
    ),
    MailKind.PASSWORD_CHANGED: Words(
        "Your password for {site} was changed",
        ("The password of your account at {site} was changed just now.",),
        "",
        (_NOT_YOU,),
    ),
    MailKind.INVITATION: Words(
        "You are invited to {site}",
        ("Somebody at {site} invites you to make an account there.",),
        "Accept the invitation",
        ("The link works for {expires}.", "If you did not expect this, do nothing."),
    ),
    MailKind.NEW_SIGN_IN: Words(
        "Somebody signed in to your account at {site}",
        (
            "Your account at {site} was signed in to from a device or a network that it has not been used on before.",
            "If this was you, there is nothing to do.",
        ),
        "",
        (_NOT_YOU,),
    ),
    MailKind.TEST: Words(
        "A test mail from {site}",
        ("This mail was asked for to see whether mail from {site} arrives. It did.",),
    ),
}
