"""Access tokens, session cookies: only what was issued here, in the form it was issued, while it lasts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamhost.features.accounts.errors import InvalidToken
from streamhost.features.accounts.tokens import AccessTokens, SignedNames
from streamhost.model.ids import SessionId, UserId

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NOW = 1_800_000_000.0
USER, SESSION = UserId("u" * 16), SessionId("s" * 16)
TOKENS = AccessTokens(KEY, "here", 900)
GOOD = TOKENS.issue(USER, SESSION, NOW)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def part(value: Any) -> str:
    """One part of a compact JWT."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header: dict[str, Any] | None = None, key: bytes = KEY, **claims: Any) -> str:
    """A token signed by hand: the good one with header and claims changed (None removes a claim)."""
    payload = {
        "iss": "here",
        "aud": "streamhost",
        "sub": USER,
        "sid": SESSION,
        "iat": int(NOW),
        "exp": int(NOW) + 900,
    } | claims
    text = part({"alg": "HS256", "typ": "at+jwt"} if header is None else header)
    text += "." + part({name: value for name, value in payload.items() if value is not None})
    return f"{text}.{part(hmac.digest(key, text.encode(), 'sha256'))}"


def test_a_token_names_its_session_until_it_expires() -> None:
    """What was issued is accepted to the last moment of its life, not after."""
    assert TOKENS.session_of(GOOD, NOW) == (USER, SESSION)
    assert TOKENS.session_of(GOOD, NOW + 899.9) == (USER, SESSION)
    with pytest.raises(InvalidToken, match="expired"):
        TOKENS.session_of(GOOD, NOW + 900)


def test_the_forging_hand_of_these_tests_can_sign() -> None:
    """The unchanged forgery is accepted, so the refusals below are about what was changed."""
    assert TOKENS.session_of(forged(), NOW) == (USER, SESSION)


@pytest.mark.parametrize(
    "token",
    [
        forged(key=OTHER_KEY),
        forged(iss="elsewhere"),
        forged(aud="other"),
        forged(aud=["streamhost"]),
        forged(sub=None),
        forged(sid=None),
        forged(exp=None),
        forged(iat=None),
        forged(aud=None),
        forged(iss=None),
        forged(sub=7),
        forged(sub="../../etc"),
        forged(sid=""),
        forged(exp="9999999999"),
        forged(exp=True),
        forged(exp=1e12),
        forged(iat=int(NOW) + 3600),
        forged({"alg": "none", "typ": "at+jwt"}),
        forged({"alg": "HS512", "typ": "at+jwt"}),
        forged({"alg": "hs256", "typ": "at+jwt"}),
        forged({"alg": "HS256", "typ": "JWT"}),
        forged({"alg": "HS256"}),
        forged({"alg": "HS256", "typ": "at+jwt", "kid": "../key"}),
        forged({"alg": "HS256", "typ": "at+jwt", "jwk": {"kty": "oct", "k": part(KEY)}}),
        forged({"alg": "HS256", "typ": "at+jwt", "crit": ["exp"]}),
        forged({"alg": "HS256", "typ": "at+jwt", "b64": False, "crit": ["b64"]}),
        part({"alg": "none", "typ": "at+jwt"}) + "." + GOOD.split(".")[1] + ".",
        jwt.encode({"sub": USER, "sid": SESSION}, KEY, "HS256"),
        jwt.encode({"sub": USER, "sid": SESSION}, "", "none"),
    ],
)
def test_forgeries_are_refused(token: str) -> None:
    """Wrong key, wrong instance, wrong audience, missing or odd claims, other algorithms, keys in the header."""
    with pytest.raises(InvalidToken):
        TOKENS.session_of(token, NOW)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t + "=",
        lambda t: t + "\n",
        lambda t: " " + t,
        lambda t: t.replace(".", ".\u200b", 1),
        lambda t: t.replace(".", "..", 1),
        lambda t: t + ".x",
        lambda t: t[:-1] + ALPHABET[ALPHABET.index(t[-1]) ^ 1],
        lambda t: t[:-1],
        lambda t: t[:20] + "!" + t[20:],
        lambda t: t[:20] + "\n" + t[20:],
        lambda t: t.replace("-", "+").replace("_", "/") + "=",
        lambda t: "A" * 3000,
        lambda t: "",
        lambda t: "..",
        lambda t: t.encode().hex(),
    ],
)
def test_only_the_exact_text_is_accepted(change: Any) -> None:
    """Lenient base64 (padding, stray bits, signs outside the alphabet) gives no second text for one token."""
    with pytest.raises(InvalidToken):
        TOKENS.session_of(change(GOOD), NOW)


@settings(deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.sampled_from(ALPHABET + "=.+/ \n\u00e9"))
def test_no_letter_can_be_changed(place: int, letter: str) -> None:
    """Any other letter anywhere makes another text, and that is refused."""
    changed = GOOD[:place] + letter + GOOD[place + 1 :]
    if changed == GOOD:
        return
    with pytest.raises(InvalidToken):
        TOKENS.session_of(changed, NOW)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_refused_in_words(text: str) -> None:
    """No text breaks the check of a token or of a cookie."""
    with pytest.raises(InvalidToken):
        TOKENS.session_of(text, NOW)
    assert SignedNames(KEY).open(text) is None


def test_another_instance_is_not_believed() -> None:
    """A token of an installation with another name or another key is worth nothing here."""
    for other in (AccessTokens(KEY, "there", 900), AccessTokens(OTHER_KEY, "here", 900)):
        with pytest.raises(InvalidToken):
            other.session_of(GOOD, NOW)


def test_a_cookie_is_the_name_of_a_session_under_seal() -> None:
    """Whoever reads ids in the catalog cannot make a cookie of them."""
    names = SignedNames(KEY)
    sealed = names.seal(SESSION)
    assert names.open(sealed) == SESSION
    assert SignedNames(OTHER_KEY).open(sealed) is None
    assert names.open(sealed[:-1]) is None
    assert names.open(sealed + "=") is None
    assert names.open(f"{'t' * 16}.{sealed.partition('.')[2]}") is None
    assert names.open(f"{SESSION}.{hashlib.sha256(SESSION.encode()).hexdigest()}") is None
