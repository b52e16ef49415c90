"""What an e-mail address, a name and a password must look like.

Each rule returns the cleaned value or raises `ValueError` with words for the person who typed it; `checked` gathers
them by field.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from streamhost.model.errors import InvalidInput

EMAIL_LENGTH = 254
"""Longest address that SMTP carries (RFC 5321, 4.5.3.1.3, less the angle brackets)."""
TYPED_LENGTH = 320
"""No more of what was typed is looked up: longer than every address, even one with spaces around."""
LOCAL_PART_LENGTH = 64
"""RFC 5321, 4.5.3.1.1."""
NAME_LENGTH = 80
PASSWORD_BYTES = 1024
"""Longer ones only keep the hash busy; no person types them."""
MIN_DISTINCT = 4
"""Fewer different characters than this can be guessed whatever the length."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""`dot-atom` of RFC 5322, 3.2.3; quoted local parts are left out, nobody uses them."""
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
"""Labels of letters, digits and hyphens (RFC 1123, 2.1); a single one is fine in a home network."""
_HIDDEN_FORMATS = frozenset("\u200c\u200d")
"""Zero-width (non-)joiner: invisible, but scripts and emoji need them."""
_COMMON = frozenset(
    {"0123456789", "0987654321", "1234567890", "12345678910", "123456789a", "1q2w3e4r5t", "1qaz2wsx3edc", "9876543210"}
    | {"a123456789", "administrator", "asdfghjkl1", "changeme123", "iloveyou12", "iloveyou123", "letmein123"}
    | {"passw0rd123", "password12", "password123", "password1234", "qwerty1234", "qwerty12345", "qwerty123456"}
    | {"qwertyuiop", "streamhost", "streamhost1", "streamhost123", "welcome123"}
)
"""Passwords of ten and more characters that head every list of leaked ones, and ours."""


def clean_email(text: str) -> str:
    """An address in the form in which it is stored: NFKC, trimmed, the domain in lower case and as A-labels."""
    text = unicodedata.normalize("NFKC", text).strip()
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise ValueError("Type an e-mail address such as alice@example.org.")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError("The part after the @ is not the name of a mail domain.") from None
    if not _DOMAIN.fullmatch(domain):
        raise ValueError("The part after the @ is not the name of a mail domain.")
    if len(local) > LOCAL_PART_LENGTH or not _LOCAL.fullmatch(local):
        raise ValueError("The part before the @ may hold unaccented letters, digits, single dots and common signs.")
    if len(local) + 1 + len(domain) > EMAIL_LENGTH:
        raise ValueError(f"An e-mail address has at most {EMAIL_LENGTH} characters.")
    return f"{local}@{domain}"


def clean_name(text: str) -> str:
    """A name in NFC with single spaces, without control and direction-changing characters."""
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if not text:
        raise ValueError("Type a name.")
    if len(text) > NAME_LENGTH:
        raise ValueError(f"A name has at most {NAME_LENGTH} characters.")
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") and c not in _HIDDEN_FORMATS for c in text):
        raise ValueError("A name cannot hold control characters.")
    if all(c in _HIDDEN_FORMATS for c in text):
        raise ValueError("Type a name.")
    return text


def clean_password(text: str, *, min_length: int, email: str = "", name: str = "") -> str:
    """A password that is long enough and not a gift; returned as it was typed."""
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    if len(text) < min_length:
        raise ValueError(f"A password has at least {min_length} characters.")
    try:
        too_long = len(text.encode()) > PASSWORD_BYTES
    except UnicodeEncodeError:
        raise ValueError("This password holds characters that cannot be stored.") from None
    if too_long:
        raise ValueError(f"A password has at most {PASSWORD_BYTES} bytes.")
    if folded in {part.casefold() for part in (email, email.partition("@")[0], name)}:
        raise ValueError("Choose a password that is not your name or address.")
    if folded in _COMMON or len(set(folded)) < MIN_DISTINCT:
        raise ValueError("Choose a password that is harder to guess.")
    return text


def storable(text: str) -> str:
    """The beginning of a typed address, without lone surrogates: JSON can smuggle them in, no catalog can keep them."""
    return text[:TYPED_LENGTH].encode("utf-8", "replace").decode()


def checked(**rules: Callable[[], str]) -> dict[str, str]:
    """Run each rule under its field's name; raises `InvalidInput` with every complaint at once."""
    values: dict[str, str] = {}
    complaints: dict[str, str] = {}
    for field, rule in rules.items():
        try:
            values[field] = rule()
        except ValueError as error:
            complaints[field] = str(error)
    if complaints:
        raise InvalidInput(fields=complaints)
    return values
