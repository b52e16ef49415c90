"""What a session's events amount to: parts seen, time played, first frame, stalls; in whatever order they came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.model.playbacks import (
    MOST_SPANS,
    NOTHING,
    EventType,
    PlaybackEvent,
    Watching,
    fold,
    order_of,
    united,
)

FILM = 100.0
T = EventType


def event(
    kind: EventType, at: float, position: float | None = None, seq: int | None = None, **more: float
) -> PlaybackEvent:
    return PlaybackEvent(kind, at, round(at * 10) if seq is None else seq, position, **more)  # type: ignore[arg-type]


def watched(*events: PlaybackEvent, film: float = FILM) -> Watching:
    return fold(NOTHING, events, film)


def test_playing_on_is_one_part() -> None:
    """From start to the last report everything was seen, once."""
    found = watched(event(T.START, 0, 0), event(T.PROGRESS, 10, 10), event(T.PROGRESS, 20, 20), event(T.END, 25, 25))
    assert list(found.spans) == [(0, 25)]
    assert (found.played, found.seen, found.share(FILM), found.ended) == (25, 25, 0.25, True)


def test_a_pause_and_a_seek_are_not_played() -> None:
    """What was jumped over was not seen; what was seen twice was played twice."""
    found = watched(
        event(T.START, 0, 0),
        event(T.PAUSE, 10, 10),
        event(T.START, 100, 10),
        event(T.SEEK, 105, 60, begin=15),
        event(T.PROGRESS, 110, 65),
        event(T.SEEK, 111, 0),
        event(T.PROGRESS, 116, 5),
    )
    assert list(found.spans) == [(0, 15), (60, 65)]
    assert (found.seen, found.played, found.seeks) == (20, 25, 2)


def test_a_jump_without_a_seek_is_none_the_less_one() -> None:
    """A place that no player reaches in the time was not played to."""
    assert watched(event(T.START, 0, 0), event(T.PROGRESS, 5, 90)).seen == 0


def test_parts_told_twice_count_once() -> None:
    """An event between may have told of a part that the next one tells as well."""
    found = watched(
        event(T.START, 0, 0),
        event(T.PROGRESS, 10, 10, begin=0),
        event(T.STALL, 12, 12, duration=1.0),
        event(T.PROGRESS, 23, 22, begin=10),
    )
    assert (found.played, found.stalls, found.stalled) == (22, 1, 1)


@pytest.mark.parametrize(("film", "needed"), [(FILM, 10.0), (1000.0, 10.0), (5.0, 4.0), (0.0, 10.0)])
def test_what_makes_a_view(film: float, needed: float) -> None:
    """Ten seconds, or four fifths of a film that is not much longer."""
    assert Watching(played=needed).is_view(film)
    assert not Watching(played=needed - 0.1).is_view(film)


def test_the_first_frame_as_told_and_as_worked_out() -> None:
    """A player's own figure counts; else it is the time that nothing else explains."""
    told = watched(event(T.START, 0, 0), event(T.PROGRESS, 1, 0.2, first_frame=0.4), event(T.PROGRESS, 5, 4))
    assert told.first_frame == 0.4
    worked_out = watched(event(T.START, 0, 30), event(T.PROGRESS, 5.5, 35))
    assert worked_out.first_frame == pytest.approx(0.5)
    assert watched(event(T.START, 0, 0), event(T.END, 3, 0)).first_frame is None


def test_waiting_before_the_first_picture_is_no_stall() -> None:
    """It is a slow start, which is counted as such."""
    assert watched(event(T.START, 0, 0), event(T.STALL, 2, 0, duration=2.0)).stalls == 0


def test_a_stall_without_a_length_lasts_until_the_next_event() -> None:
    """Less what was played meanwhile."""
    found = watched(event(T.START, 0, 0), event(T.PROGRESS, 5, 5), event(T.STALL, 6, 6), event(T.PROGRESS, 10, 8))
    assert (found.stalls, found.stalled) == (1, 2)


def test_leaving_at_the_beginning_is_skipping() -> None:
    """Who saw little of a film and went did not want it; who never got a picture did not skip it."""
    begun = (event(T.START, 0, 0), event(T.PROGRESS, 3, 3))
    assert watched(*begun, event(T.END, 4, 4)).is_skip(FILM)
    assert not watched(*begun).is_skip(FILM)
    assert not watched(event(T.START, 0, 0), event(T.END, 4)).is_skip(FILM)


def test_errors_and_qualities_are_kept_by_name() -> None:
    """Played seconds go to the quality that played; a flood of names is cut off."""
    found = watched(
        event(T.START, 0, 0, height=240),
        event(T.QUALITY, 4, 4, height=720),
        event(T.PROGRESS, 10, 10),
        *(PlaybackEvent(T.ERROR, 11 + n, 1000 + n, code=f"code{n}") for n in range(50)),
    )
    assert found.heights == {240: 4, 720: 6}
    assert len(found.errors) < 10


events = st.builds(
    PlaybackEvent,
    st.sampled_from(EventType),
    st.floats(0, 300),
    st.integers(0, 10_000),
    st.none() | st.floats(0, 500),
    begin=st.none() | st.floats(0, 500),
    rate=st.none() | st.floats(0.1, 4),
    duration=st.none() | st.floats(0, 1e6),
    first_frame=st.none() | st.floats(0, 1e6),
    height=st.none() | st.integers(1, 4000),
    code=st.none() | st.text(max_size=5),
)


@given(st.lists(events, max_size=30), st.floats(0, 200), st.integers(0, 30))
def test_it_does_not_matter_in_which_pieces_they_come(sent: list[PlaybackEvent], film: float, cut: int) -> None:
    """Folding in two steps is folding at once, and everything stays within the film."""
    ordered = sorted(sent, key=order_of)
    whole = fold(NOTHING, ordered, film)
    assert fold(fold(NOTHING, ordered[:cut], film), ordered[cut:], film) == whole
    assert all(begin < end for begin, end in whole.spans)
    assert all(a[1] < b[0] for a, b in zip(whole.spans, whole.spans[1:], strict=False))
    assert 0 <= whole.share(film) <= 1
    assert whole.seen <= whole.played + 0.5 * len(whole.spans) + 0.5 * len(sent)
    assert film == 0 or all(end <= film for _, end in whole.spans)
    assert whole.stalled >= 0


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0.01, 50)), max_size=400))
def test_parts_are_bounded_and_cover_what_they_were_made_of(parts: list[tuple[float, float]]) -> None:
    """However much is jumped about."""
    spans = [(begin, begin + length) for begin, length in parts]
    found = united((), spans)
    assert len(found) <= MOST_SPANS
    assert all(any(b <= begin and end <= e for b, e in found) for begin, end in spans)
    assert united(found, spans) == found
