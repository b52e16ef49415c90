"""Parts of the pages that need no browser: tickets between two forms, devices in words, quotas in gigabytes."""

from __future__ import annotations

import pytest

from streamhost.model.errors import InvalidInput
from streamhost.server.pages.halfway import REMEMBERED, WAIT_SECONDS, HalfWay
from streamhost.server.pages.people_shapes import device_text, words
from streamhost.server.pages.quota_form import gigabytes_text, quota_typed


def test_a_ticket_opens_once_and_not_for_long() -> None:
    """What was typed comes back by its ticket, one time, within five minutes."""
    now = [0.0]
    half_way = HalfWay(lambda: now[0])
    ticket = half_way.keep("alice@example.org", "pässword \ud800")
    assert half_way.take(ticket) == ("alice@example.org", "pässword \ud800")
    assert half_way.take(ticket) is None
    late = half_way.keep("alice@example.org", "password")
    now[0] = WAIT_SECONDS
    assert half_way.take(late) is None


def test_nothing_else_opens_a_ticket() -> None:
    """A pad that is too short, no hexadecimal or another's gives nothing, or nothing that was typed."""
    half_way = HalfWay(lambda: 0.0)
    for pad in ("", "zz", "00"):
        name = half_way.keep("alice@example.org", "password").partition(".")[0]
        assert half_way.take(f"{name}.{pad}") is None
    first, second = half_way.keep("a", "password"), half_way.keep("b", "password")
    assert half_way.take(f"{first.partition('.')[0]}.{second.partition('.')[2]}") != ("a", "password")
    assert half_way.take("made up") is None


def test_neither_the_page_nor_the_memory_tells_the_password() -> None:
    """The pad is new each time, so what is kept differs too; the password stands nowhere."""
    half_way = HalfWay(lambda: 0.0)
    tickets = {half_way.keep("alice@example.org", "password").partition(".")[2] for _ in range(10)}
    assert len(tickets) == 10
    assert b"password".hex() not in tickets
    assert not [one for one in half_way._waiting.values() if b"password" in one.sealed]


def test_memory_is_bounded() -> None:
    """Whoever opens thousands of sign-ins pushes the oldest out, nothing more."""
    half_way = HalfWay(lambda: 0.0)
    first = half_way.keep("a", "password")
    for _ in range(REMEMBERED):
        half_way.keep("b", "password")
    assert half_way.take(first) is None
    assert len(half_way._waiting) == REMEMBERED


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36", "Chrome on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari on iPhone or iPad",
        ),
        ("python-httpx/0.28.1", "python-httpx/0.28.1"),
        ("", "Unknown device"),
    ],
)
def test_devices_in_words(agent: str, shown: str) -> None:
    """Browsers are named as people know them; programs by what they call themselves."""
    assert device_text(agent) == shown


def test_codes_in_words() -> None:
    """The log's codes read like words."""
    assert words("signed_in") == "Signed in"
    assert words("email_change_asked") == "E-mail change asked"
    assert words("verify_email") == "Verify e-mail"
    assert words("api_token_made") == "API token made"


def test_quotas_as_typed() -> None:
    """Gigabytes are exact both ways; empty and 0 are different; anything else is named at its field."""
    assert quota_typed(" 1.5 ", "") == (1_500_000_000, None)
    assert quota_typed("", "0") == (None, 0)
    for amount in (0, 1, 1_500_000_000, 20 * 10**9, 123_456_789_012):
        assert quota_typed(gigabytes_text(amount), "")[0] == amount
    assert gigabytes_text(None) == ""
    with pytest.raises(InvalidInput) as refused:
        quota_typed("a lot", "-1")
    assert set(refused.value.fields) == {"gigabytes", "videos"}
