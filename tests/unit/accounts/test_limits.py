"""How guessing is slowed down, and that nobody is locked out for ever."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamhost.features.accounts.errors import TooManyAttempts
from streamhost.features.accounts.limits import Limit, LoginLimits, RegistrationLimits, network_of
from tests.unit.accounts.hands import Hands

HOME, ELSEWHERE = "198.51.100.7", "203.0.113.9"


def failures_until_refused(limits: LoginLimits, account: str, address: str, *, known: bool = False) -> int:
    """How many wrong passwords are taken before the first refusal."""
    for number in range(1000):
        try:
            limits.check(account, address, known=known)
        except TooManyAttempts:
            return number
        limits.failed(account, address, known=known)
    raise AssertionError("never refused")


def test_a_limit_refills(clock: Hands) -> None:
    """After the burst there is one for each interval, and never more than the burst."""
    limit = Limit(3, 10.0, clock)
    for _ in range(3):
        assert limit.wait("a") == 0
        limit.spend("a")
    assert limit.wait("a") == pytest.approx(10)
    assert limit.wait("b") == 0
    clock.pass_by(4)
    assert limit.wait("a") == pytest.approx(6)
    clock.pass_by(1e9)
    for _ in range(3):
        limit.spend("a")
    assert limit.wait("a") > 0


def test_a_clock_set_back_locks_nobody_out(clock: Hands) -> None:
    """Waiting is bounded by the interval even when the wall clock jumps into the past."""
    limit = Limit(1, 10.0, clock)
    limit.spend("a")
    clock.pass_by(-1e6)
    assert 0 < limit.wait("a") <= 10


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 60)), max_size=60))
def test_the_wait_is_never_longer_than_one_interval(steps: list[tuple[str, float]]) -> None:
    """However often a key is spent, the next chance is at most one interval away."""
    hands = Hands()
    limit = Limit(2, 10.0, hands)
    for key, seconds in steps:
        limit.spend(key)
        hands.pass_by(seconds)
        assert 0 <= limit.wait(key) <= 10.0


def test_the_refusal_says_when_to_come_back(clock: Hands) -> None:
    """Whoever waits as long as told is let in again."""
    limits = LoginLimits(clock)
    assert failures_until_refused(limits, "alice", HOME) == 8
    with pytest.raises(TooManyAttempts) as caught:
        limits.check("alice", HOME, known=False)
    assert 0 < caught.value.retry_after <= 15
    clock.pass_by(caught.value.retry_after)
    limits.check("alice", HOME, known=False)


def test_a_stranger_cannot_lock_out_the_owner(clock: Hands) -> None:
    """An account flooded from many networks stays open for a network it was used from; strangers have to wait."""
    limits = LoginLimits(clock)
    for number in range(100):
        failures_until_refused(limits, "alice", f"203.0.113.{number}")
    limits.check("alice", HOME, known=True)
    with pytest.raises(TooManyAttempts):
        limits.check("alice", HOME, known=False)
    limits.check("bob", HOME, known=False)


def test_the_owner_gets_in_from_a_new_place_too(clock: Hands) -> None:
    """Whoever has followed a link in the account's mail is not kept waiting by those who guess elsewhere; but guessing
    from there is slowed down like any other, and nobody else gains by it."""
    limits = LoginLimits(clock)
    for number in range(100):
        failures_until_refused(limits, "alice", f"203.0.113.{number}")
    failures_until_refused(limits, "alice", HOME)
    limits.vouched("alice", HOME)
    limits.check("alice", HOME, known=False)
    with pytest.raises(TooManyAttempts):
        limits.check("alice", "192.0.2.1", known=False)
    assert failures_until_refused(limits, "alice", HOME) == 8


def test_one_network_cannot_try_many_accounts(clock: Hands) -> None:
    """Trying one password on every account is slowed down too; changing within an IPv6 /64 does not help."""
    limits = LoginLimits(clock)
    refused = 0
    for number in range(60):
        address = f"2001:db8::{number + 1:x}"
        try:
            limits.check(f"user{number}", address, known=False)
            limits.failed(f"user{number}", address, known=False)
        except TooManyAttempts:
            refused += 1
    assert refused == 20
    limits.check("user1", "2001:db8:0:1::1", known=False)


def test_success_forgives_typing_errors(clock: Hands) -> None:
    """After the right password the count starts anew."""
    limits = LoginLimits(clock)
    for _ in range(7):
        limits.failed("alice", HOME, known=True)
    limits.succeeded("alice", HOME)
    assert failures_until_refused(limits, "alice", HOME, known=True) == 8


def test_registrations_are_limited_by_network(clock: Hands) -> None:
    """One network cannot fill the catalog; another one is not affected, nor is the machine itself."""
    limits = RegistrationLimits(clock)
    for _ in range(20):
        limits.count(ELSEWHERE)
    with pytest.raises(TooManyAttempts):
        limits.count(ELSEWHERE)
    for _ in range(30):
        limits.count("127.0.0.1")
    limits.count(HOME)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("", ""),
        ("/run/streamhost.sock", ""),
    ],
)
def test_networks(address: str, network: str) -> None:
    """One customer is one network; loopback stands for a proxy and is none."""
    assert network_of(address) == network
