"""Token buckets: what is granted, what must wait, what is forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.buckets import Buckets, Policy

TEN = Policy("ten", 10, 60.0)


class Hands:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """Now, as the test says."""
        return self.now


def test_a_quota_at_once_then_evenly() -> None:
    """Ten at once are granted, the eleventh waits for a tenth of the window, and then one more is granted."""
    clock = Hands()
    buckets = Buckets(clock)
    assert [buckets.take(TEN, "bob").left for _ in range(10)] == list(range(9, -1, -1))
    refused = buckets.take(TEN, "bob")
    assert not refused.granted
    assert refused.wait == pytest.approx(6.0)
    assert refused.full_in == pytest.approx(60.0)
    clock.now += refused.wait
    assert buckets.take(TEN, "bob").granted
    assert not buckets.take(TEN, "bob").granted


def test_refusals_cost_nothing() -> None:
    """Whoever keeps knocking does not wait longer for it."""
    clock = Hands()
    buckets = Buckets(clock)
    for _ in range(100):
        buckets.take(TEN, "bob")
    clock.now += 6.0
    assert buckets.take(TEN, "bob").granted


def test_keys_and_policies_do_not_mix() -> None:
    """One who has used up everything takes nothing from others, nor from their own other classes."""
    buckets = Buckets(Hands())
    for _ in range(11):
        buckets.take(TEN, "bob")
    assert buckets.take(TEN, "alice").left == 9
    assert buckets.take(Policy("other", 3, 60.0), "bob").left == 2


def test_a_clock_set_back_takes_nothing_away() -> None:
    """When the clock jumps back, what was left is still there, and it fills again from then on."""
    clock = Hands()
    buckets = Buckets(clock)
    buckets.take(TEN, "bob")
    clock.now -= 3600.0
    assert buckets.take(TEN, "bob").left == 8
    clock.now += 6.0
    assert buckets.take(TEN, "bob").left == 8


def test_memory_is_bounded() -> None:
    """However many keys come, no more than so many are kept, and those are the ones seen last."""
    buckets = Buckets(Hands(), remembered=100)
    for _ in range(11):
        buckets.take(TEN, "bob")
    for number in range(250):
        buckets.take(TEN, f"stranger {number}")
        if number % 50 == 0:
            assert not buckets.take(TEN, "bob").granted
    assert len(buckets) == 100
    assert not buckets.take(TEN, "bob").granted


@given(st.lists(st.floats(0, 30), max_size=200))
def test_never_more_than_the_quota_and_what_fills_again(pauses: list[float]) -> None:
    """Over any time, at most the quota and what came back in that time are granted."""
    clock = Hands()
    buckets = Buckets(clock)
    began, granted = clock.now, 0
    for pause in pauses:
        clock.now += pause
        granted += buckets.take(TEN, "bob").granted
        assert granted <= 10 + (clock.now - began) / 6.0 + 1e-6
