"""Grants: what they hold, and everything that is not one."""

from __future__ import annotations

import base64
import hmac
import string
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.model.grants import (
    POSTER_ONLY,
    Grant,
    GrantExpired,
    GrantRevoked,
    Grants,
    InvalidGrant,
    Revocations,
    decode,
    encode,
)
from streamhost.model.ids import PackageId, SessionId, UserId, VideoId

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
VIDEO, PACKAGE, SESSION, USER = VideoId("v" * 16), PackageId("p" * 16), SessionId("s" * 16), UserId("u" * 16)
NAMES = st.text(string.ascii_letters + string.digits, min_size=1, max_size=64)


class Moment:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """Now."""
        return self.now


@given(
    NAMES, NAMES, NAMES, st.one_of(st.none(), NAMES), st.integers(0, 2**40), st.integers(0, 2**31), st.integers(0, 1)
)
def test_a_grant_says_what_was_put_in(
    video: str, package: str, session: str, user: str | None, issued: int, life: int, flags: int
) -> None:
    """Encoding and decoding give the same claims, to the millisecond."""
    moment = issued / 1000
    grant = Grant(
        VideoId(video),
        PackageId(package),
        SessionId(session),
        moment,
        moment + life,
        UserId(user) if user else None,
        flags,
    )
    read = decode(encode(grant, 7, KEY), {7: KEY})
    assert (read.video_id, read.package_id, read.session_id, read.user_id, read.flags) == (
        grant.video_id,
        grant.package_id,
        grant.session_id,
        grant.user_id,
        flags,
    )
    assert abs(read.issued_at - grant.issued_at) < 0.001
    assert abs(read.expires_at - grant.expires_at) <= 0.5


def test_one_changed_bit_makes_it_worthless() -> None:
    """Every single bit is under the signature, the signature's own too."""
    ring = {1: KEY}
    text, _ = Grants(ring, Moment(), 60).issue(VIDEO, PACKAGE, SESSION, USER)
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    for place in range(len(raw) * 8):
        raw[place // 8] ^= 1 << place % 8
        with pytest.raises(InvalidGrant):
            decode(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), ring)
        raw[place // 8] ^= 1 << place % 8


@given(st.text(max_size=200))
def test_any_text_is_refused_in_one_way(text: str) -> None:
    """Nothing but `InvalidGrant` comes out, whatever goes in."""
    with pytest.raises(InvalidGrant):
        decode(text, {1: KEY})


def test_other_spellings_of_one_grant_are_refused() -> None:
    """Padding, white space, spare bits, the other base64 alphabet: one grant has one text."""
    ring = {1: KEY}
    text = encode(Grant(VIDEO, PACKAGE, SESSION, 1.0, 2.0, UserId("uu")), 1, KEY)
    spellings = [text + "=", text + "==", " " + text, text + "\n", text[:10] + "." + text[10:], text + "A", text[:-1]]
    spellings += [text[:-1] + letter for letter in string.ascii_letters + string.digits + "-_" if letter != text[-1]]
    for spelling in spellings:
        with pytest.raises(InvalidGrant):
            decode(spelling, ring)


def test_another_instances_key_and_an_unknown_key_are_refused() -> None:
    """Only keys in the ring count, each under its own id."""
    text = encode(Grant(VIDEO, PACKAGE, SESSION, 1.0, 2.0), 1, OTHER_KEY)
    for ring in ({1: KEY}, {2: OTHER_KEY}, {1: KEY, 2: OTHER_KEY}):
        with pytest.raises(InvalidGrant):
            decode(text, ring)


def test_an_old_key_verifies_while_the_new_one_signs() -> None:
    """A rotation interrupts nobody's film."""
    clock = Moment()
    old, _ = Grants({1: KEY}, clock, 60).issue(VIDEO, PACKAGE, SESSION)
    grants = Grants({1: KEY, 2: OTHER_KEY}, clock, 60)
    new, _ = grants.issue(VIDEO, PACKAGE, SESSION)
    assert grants.check(old, VIDEO).session_id == SESSION
    assert decode(new, {2: OTHER_KEY}).session_id == SESSION


def test_a_grant_ends_also_when_it_was_seen_before() -> None:
    """The memory of checked grants does not prolong them."""
    clock = Moment()
    grants = Grants({1: KEY}, clock, 60)
    text, grant = grants.issue(VIDEO, PACKAGE, SESSION)
    assert grants.check(text, VIDEO) == grant
    clock.now += 59.9
    assert grants.check(text, VIDEO) == grant
    clock.now += 0.1
    with pytest.raises(GrantExpired):
        grants.check(text, VIDEO)


def test_a_grant_is_for_one_video() -> None:
    """Another video's grant is no grant, also when it was seen before."""
    grants = Grants({1: KEY}, Moment(), 60)
    text, _ = grants.issue(VIDEO, PACKAGE, SESSION)
    grants.check(text, VIDEO)
    with pytest.raises(InvalidGrant):
        grants.check(text, "w" * 16)


@pytest.mark.parametrize("subject", [VIDEO, SESSION, USER])
def test_revoking_ends_what_was_issued_and_not_what_comes(subject: VideoId) -> None:
    """By video, session or user; a grant issued afterwards is good."""
    clock = Moment()
    grants = Grants({1: KEY}, clock, 60)
    old, _ = grants.issue(VIDEO, PACKAGE, SESSION, USER)
    other, _ = grants.issue(VideoId("w" * 16), PACKAGE, SessionId("t" * 16))
    grants.check(old, VIDEO)
    grants.revocations.revoke(subject)
    clock.now += 0.01
    new, _ = grants.issue(VIDEO, PACKAGE, SESSION, USER)
    with pytest.raises(GrantRevoked):
        grants.check(old, VIDEO)
    grants.check(new, VIDEO)
    grants.check(other, "w" * 16)


@given(st.integers(10**12, 3 * 10**12), st.floats(0.0, 0.9), st.floats(0.0, 0.09))
def test_a_grant_issued_right_after_a_revocation_is_good(milliseconds: int, before: float, later: float) -> None:
    """In one and the same millisecond: what was there before is taken back, what comes after is good at once."""
    clock = Moment()
    clock.now = (milliseconds + before) / 1000
    grants = Grants({1: KEY}, clock, 60)
    old, _ = grants.issue(VIDEO, PACKAGE, SESSION, USER)
    grants.revocations.revoke(VIDEO)
    clock.now += later / 1000
    new, grant = grants.issue(VIDEO, PACKAGE, SESSION, USER)
    with pytest.raises(GrantRevoked):
        grants.check(old, VIDEO)
    assert grants.check(new, VIDEO) == grant


def test_what_was_decided_elsewhere_ends_all_that_is_out() -> None:
    """Between the decision and the news of it grants are given out: they end with the older ones, also where the news
    comes with the next start, long afterwards. What is given out then stays good, however often the news is told."""
    clock = Moment()
    grants, restarted = (Grants({1: KEY}, clock, 3600) for _ in range(2))
    decided = clock.now + 1
    clock.now += 4
    late, _ = grants.issue(VIDEO, PACKAGE, SESSION, USER)
    grants.check(late, VIDEO)
    clock.now += 1
    grants.revocations.learn(USER, decided)
    with pytest.raises(GrantRevoked):
        grants.check(late, VIDEO)
    clock.now += 60
    fresh, _ = grants.issue(VIDEO, PACKAGE, SESSION, USER)
    for one in (grants, restarted):
        one.revocations.learn(USER, decided)
        one.check(fresh, VIDEO)
        with pytest.raises(GrantRevoked):
            one.check(late, VIDEO)
    grants.revocations.learn(USER, clock.now)
    with pytest.raises(GrantRevoked):
        grants.check(fresh, VIDEO)


def test_revocations_are_forgotten_when_nothing_can_need_them() -> None:
    """The list does not grow for ever."""
    clock = Moment()
    revocations = Revocations(clock, 60)
    for number in range(100):
        clock.now += 10
        revocations.revoke(SessionId(f"s{number}"))
    assert len(revocations._moments) <= 7


@pytest.mark.parametrize("name", ["", "../x", "a/b", "ü", "x" * 65])
def test_only_ids_go_into_a_grant(name: str) -> None:
    """What is not an id never becomes part of a path."""
    with pytest.raises(ValueError, match="not an id"):
        Grants({1: KEY}, Moment(), 60).issue(VideoId(name), PACKAGE, SESSION)


def test_checking_is_quick() -> None:
    """A grant never seen before costs a few times what its signature alone does, measured side by side (the best of
    several tries counts on a busy machine)."""
    grants = Grants({1: KEY}, Moment(), 60)
    texts = [grants.issue(VIDEO, PACKAGE, SessionId(f"s{number}"), flags=POSTER_ONLY)[0] for number in range(2000)]

    def seconds(work: Callable[[str], object], some: list[str]) -> float:
        begin = time.perf_counter()
        for text in some:
            work(text)
        return time.perf_counter() - begin

    turns = [texts[start : start + 200] for start in range(0, 2000, 200)]
    checks = min(seconds(lambda text: grants.check(text, VIDEO), some) for some in turns)
    signatures = min(seconds(lambda text: hmac.digest(KEY, text.encode(), "sha256"), some) for some in turns)
    assert checks < 15 * signatures
