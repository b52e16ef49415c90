"""Figures that are added up: retention, times in boxes, sketches of viewers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.model.analytics import (
    Figures,
    box_of,
    figures_of,
    negative,
    per_cents,
    quantile,
    rebuffer_ratio,
    retention_of,
    summed,
)
from streamhost.model.playbacks import Device, Source, Watching
from streamhost.model.sketch import KEPT, count, hashed, joined

KEY = b"k" * 32


def figures(**said: object) -> Figures:
    return figures_of(Watching(**said), 100.0, Device.PHONE, Source.PLAYER)  # type: ignore[arg-type]


def test_the_curve_of_those_who_stay() -> None:
    """Of each per cent of the film: how many saw it, of those who saw anything."""
    half = figures(spans=((0, 50),), played=50, begun=True)
    whole = figures(spans=((0, 100),), played=100, begun=True)
    curve = retention_of(summed([half, whole, figures(asked=True)]))
    assert curve[:50] == [1.0] * 50
    assert curve[50:] == [0.5] * 50
    assert retention_of(Figures()) == []


@pytest.mark.parametrize(
    ("spans", "found"), [(((0, 1.5),), [0]), (((0.4, 0.6), (99.4, 100)), [0, 99]), ((), []), (((3, 3.4),), [])]
)
def test_the_per_cents_that_were_seen(spans: tuple[tuple[float, float], ...], found: list[int]) -> None:
    """Those whose middle was seen."""
    assert per_cents(spans, 100.0) == found
    assert per_cents(spans, 0) == []


def test_a_session_that_goes_on_takes_its_old_figures_away() -> None:
    """What is added is the difference, so nothing counts twice."""
    before = figures(spans=((0, 5),), played=5, begun=True, asked=True, heights={240: 5.0})
    after = figures(spans=((0, 20),), played=20, begun=True, asked=True, heights={240: 5.0, 720: 15.0})
    assert summed([before, summed([after, negative(before)])]) == summed([after])
    assert after.views == 1
    assert after.devices == {"phone": 1}
    assert summed([after, negative(after)]) == summed([Figures()])


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=60), st.floats(0.01, 1))
def test_times_in_boxes_are_right_within_a_box(times: list[float], share: float) -> None:
    """A quantile is no more than 15 % from a time of which that share lies below."""
    boxes: dict[str, float] = {}
    for one in times:
        boxes[str(box_of(one))] = boxes.get(str(box_of(one)), 0) + 1
    found = quantile(boxes, share)
    exact = sorted(times)[max(0, -int(-len(times) * share // 1) - 1)]
    assert found is not None
    assert exact / 1.16 <= found <= exact * 1.16


def test_nothing_measured_is_none() -> None:
    """And not a nought that looks like a good figure."""
    assert quantile({}, 0.5) is None
    assert rebuffer_ratio(Figures()) is None
    assert rebuffer_ratio(Figures(played=9, stalled=1)) == pytest.approx(0.1)


def test_viewers_are_counted_without_their_names() -> None:
    """Exactly as long as there are few, within a few per cent when there are many, and once however often they come."""
    many = [hashed(KEY, f"u:{n}") for n in range(20_000)]
    assert count(joined(many[: KEPT - 1] * 2)) == KEPT - 1
    days = [joined(many[start : start + 10_000]) for start in (0, 5_000, 10_000)]
    assert count(joined(days)) == pytest.approx(20_000, rel=0.15)
    assert all(len(day) <= KEPT * 8 for day in days)
    assert hashed(KEY, "u:1") != hashed(b"o" * 32, "u:1")
    assert count(joined([])) == 0
