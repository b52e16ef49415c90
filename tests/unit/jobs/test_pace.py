"""How fast work goes, and how long it will take, with a clock that the test moves."""

from __future__ import annotations

import pytest

from streamhost.jobs.pace import Rate, Share


def test_a_steady_rate_is_told_as_it_is() -> None:
    """Two units a second, heard every half second."""
    rate = Rate()
    for step in range(40):
        rate.add(1.0 if step else 0.0, step * 0.5)
    assert rate.value == pytest.approx(2.0)


def test_nothing_is_told_before_enough_was_seen() -> None:
    """A first glance is no measurement, and neither is a second in which nothing was done."""
    rate = Rate()
    rate.add(5.0, 0.0)
    rate.add(1.0, 1.0)
    assert rate.value is None
    idle = Rate()
    for second in range(10):
        idle.add(0.0, float(second))
    assert idle.value is None


def test_a_change_of_pace_is_followed_within_its_memory() -> None:
    """After ten a second for long, one a second for a minute: the old pace is nearly forgotten, and never undershot."""
    rate = Rate()
    for second in range(60):
        rate.add(10.0, float(second))
    values = []
    for second in range(60, 120):
        rate.add(1.0, float(second))
        values.append(rate.value or 0.0)
    assert values == sorted(values, reverse=True)
    assert 1.0 < values[-1] < 1.6


def test_time_in_which_nothing_runs_does_not_count() -> None:
    """A pause of an hour between two stretches of work leaves the rate alone."""
    rate = Rate()
    for start in (0.0, 3600.0):
        for second in range(30):
            rate.add(3.0, start + second)
        rate.rest()
    assert rate.value == pytest.approx(3.0)


def test_the_time_left_of_steady_work_falls_as_time_passes() -> None:
    """One percent a second: what is left is 100 seconds less those that went by, and never grows."""
    share = Share()
    left = []
    for second in range(1, 101):
        share.at(second / 100, float(second))
        left.append(share.left)
    known = [value for value in left if value is not None]
    assert known == sorted(known, reverse=True)
    assert known[0] == pytest.approx(100 - (101 - len(known)), rel=0.05)
    assert known[-1] == pytest.approx(0.0)


def test_work_that_begins_anew_is_measured_anew() -> None:
    """A second attempt starts at nothing: no time is told by the first one's pace."""
    share = Share()
    for second in range(20):
        share.at(second / 20, float(second))
    share.at(0.0, 21.0)
    assert share.left is None
