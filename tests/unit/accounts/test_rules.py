"""What addresses, names and passwords may look like."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamhost.features.accounts.rules import checked, clean_email, clean_name, clean_password
from streamhost.model.accounts import email_key
from streamhost.model.errors import InvalidInput


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("alice@example.org", "alice@example.org"),
        ("  Alice+films@Example.ORG\n", "Alice+films@example.org"),
        ("root@localhost", "root@localhost"),
        ("o'neil@mail.example.co.uk", "o'neil@mail.example.co.uk"),
        ("\uff41lice\uff20example.org", "alice@example.org"),  # full-width letters are the same letters
        ("bob@b\u00fccher.example", "bob@xn--bcher-kva.example"),
    ],
)
def test_good_addresses_are_stored_in_one_form(typed: str, stored: str) -> None:
    """Space, full-width letters and the domain's case and script make no difference."""
    assert clean_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "alice",
        "@example.org",
        "alice@",
        "alice@@example.org",
        "a b@example.org",
        ".alice@example.org",
        "alice..x@example.org",
        "alice@example..org",
        "alice@-example.org",
        "alice@exa_mple.org",
        "alice@example.org.",
        "alice@example.org\r\nBcc: mallory@example.org",
        "alice@example.org,bob@example.org",
        "<alice@example.org>",
        "al\x00ice@example.org",
        "j\u00f6rg@example.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * 64 + ".org",
        "a@" + ".".join(["b" * 60] * 5),
        "alice@\ud800.org",
    ],
)
def test_bad_addresses_are_refused(typed: str) -> None:
    """Nothing gets in that could mean two addresses, a header, or no address at all."""
    with pytest.raises(ValueError, match=r"[A-Z].*\."):
        clean_email(typed)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_cleaned_or_refused(typed: str) -> None:
    """No input breaks the rule; what it lets through is stable under it and the key, and is found as it was typed."""
    try:
        email = clean_email(typed)
    except ValueError:
        return
    assert clean_email(email) == email
    assert email.isascii()
    assert email_key(email) == email_key(typed) == email.lower()


@pytest.mark.parametrize("typed", ["", "alice", "@", "b\u00fccher", "a@" + "\u00fc" * 70, "a@b..c", "a@\ud800.org"])
def test_what_is_no_address_has_a_key_too(typed: str) -> None:
    """Whatever is typed into a form can be looked for, and finds nobody by accident."""
    assert email_key(typed) == typed


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("  Ada \n Lovelace ", "Ada Lovelace"), ("Zo\u0065\u0308", "Zo\u00eb"), ("\U0001f468\u200d\U0001f467", None)],
)
def test_names_keep_their_letters(typed: str, shown: str | None) -> None:
    """Space is tidied, accents are composed, joined emoji survive."""
    assert clean_name(typed) == (shown or typed)


@pytest.mark.parametrize("typed", ["", " \u2003 ", "a" * 81, "Bob\u202egnp", "A\x07B", "\u200d", "A\ue000", "A\ud800"])
def test_bad_names_are_refused(typed: str) -> None:
    """Empty, endless and invisible names, and those that turn the text around, are refused."""
    with pytest.raises(ValueError, match="name"):
        clean_name(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "short",
        "a" * 30,
        "abcabcabcabc",
        "Password123",
        "alice@example.org",
        "Alice Cooper",
        "x" * 500 + "y\u00e9z" * 400,
    ],
)
def test_bad_passwords_are_refused(typed: str) -> None:
    """Short, monotonous, well-known and self-telling ones are refused, and ones that only keep the hash busy."""
    with pytest.raises(ValueError, match="password"):
        clean_password(typed, min_length=10, email="alice@example.org", name="Alice Cooper")


def test_a_good_password_is_taken_as_typed() -> None:
    """Spaces and every script belong to it."""
    assert (
        clean_password(" \u043f\u0430\u0440\u043e\u043b\u044c !", min_length=8)
        == " \u043f\u0430\u0440\u043e\u043b\u044c !"
    )


def test_all_complaints_come_at_once() -> None:
    """The error names every field that is wrong, and no other."""
    with pytest.raises(InvalidInput) as caught:
        checked(email=lambda: clean_email("no"), name=lambda: clean_name("Alice"), password=lambda: clean_name(""))
    assert set(caught.value.fields) == {"email", "password"}
