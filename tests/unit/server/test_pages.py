"""Parts of the pages that need no browser: devices in words, quotas in gigabytes."""

from __future__ import annotations

import pytest

from streamhost.model.errors import InvalidInput
from streamhost.server.pages.people_shapes import device_text, words
from streamhost.server.pages.quota_form import gigabytes_text, quota_typed


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
