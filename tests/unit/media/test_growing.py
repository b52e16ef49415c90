"""Manifests of what is shown while it is made: lists that are only ever added to, and end when all of it stands."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from xml.etree import ElementTree

import m3u8  # type: ignore[import-untyped]  # it has no types
import pytest

from streamhost.media import dash, hls, timeline
from streamhost.model.streaming import Growth, Presentation
from tests.unit.media.facts import audio_rendition, video_rendition

SEGMENTS = (51200, 51200, 64000, 51200, 20480)
WHOLE = [
    video_rendition("v720", SEGMENTS),
    video_rendition("v360", SEGMENTS, width=640, height=360),
    audio_rendition("a-main", (192512,) * 4 + (122880,)),
]
GROWTH = Growth(Fraction(sum(SEGMENTS), 12800), 5, 1_700_000_000.0, 1_700_000_060.5, over=False)


def grown(seconds: float) -> Presentation:
    """The film up to a moment; whole at its end."""
    over = seconds >= GROWTH.duration
    end = max(r.end for r in WHOLE) if over else Fraction(seconds)
    return timeline.presentation([timeline.until(r, end) for r in WHOLE], growth=replace(GROWTH, over=over))


STEPS = [grown(seconds) for seconds in (8, 13, 17, 19)]


def test_playlists_are_only_added_to() -> None:
    """What was in a playlist stays, letter for letter; more follows, and at last its end (RFC 8216, 6.2.1)."""
    for before, after in pairwise(map(hls.playlists, STEPS)):
        assert before.keys() == after.keys()
        for name in before.keys() - {"master.m3u8"}:
            assert after[name].startswith(before[name]), name
            assert "#EXT-X-ENDLIST" not in before[name]
    for name, text in hls.playlists(STEPS[-1]).items():
        assert name == "master.m3u8" or text.endswith("#EXT-X-ENDLIST\n")


def test_players_know_such_a_list() -> None:
    """It is an event, begins at 0 rather than at its end, and no segment is longer than it says from the first on."""
    for step in STEPS:
        for name, text in hls.playlists(step).items():
            if name == "master.m3u8":
                continue
            read = m3u8.loads(text)
            assert read.playlist_type == "event"
            assert 0 <= read.start.time_offset <= 0.001
            assert read.is_endlist == (step is STEPS[-1])
            assert read.target_duration == 5
            assert all(round(segment.duration) <= 5 for segment in read.segments)


def test_what_was_never_shown_before_it_was_whole_says_so() -> None:
    """Without growth nothing of this is written."""
    texts = hls.playlists(timeline.presentation(WHOLE))
    assert all("VOD" in text for name, text in texts.items() if name != "master.m3u8")
    assert 'type="static"' in dash.manifest(timeline.presentation(WHOLE))


def test_a_growing_mpd_says_how_long_it_will_be() -> None:
    """It is dynamic, its length that of the whole, and by its clock everything in it has been there for long."""
    read = ElementTree.fromstring(dash.manifest(STEPS[0]))
    assert read.get("type") == "dynamic"
    assert read.get("mediaPresentationDuration") == f"PT{float(GROWTH.duration):.3f}S"
    assert read.get("publishTime") == "2023-11-14T22:14:20.500Z"
    assert read.get("availabilityStartTime") == "2023-11-13T22:13:01.400Z"
    assert read.get("minimumUpdatePeriod")
    period, timing = read
    assert (period.tag, timing.tag) == (f"{{{dash.NAMESPACE}}}Period", f"{{{dash.NAMESPACE}}}UTCTiming")
    assert timing.get("schemeIdUri") == "urn:mpeg:dash:utc:direct:2014"
    assert timing.get("value") == read.get("publishTime")


def test_a_grown_mpd_is_static() -> None:
    """Nobody asks for it again; it differs in nothing from that of a film that was shown only when it was whole."""
    assert dash.manifest(STEPS[-1]) == dash.manifest(timeline.presentation(WHOLE))


def test_sound_is_shown_up_to_the_last_picture() -> None:
    """A piece of sound that goes on after it waits for the pictures."""
    [sound] = STEPS[1].audio
    assert sound.end <= max(rendition.end for rendition in STEPS[1].video) == 13
    assert len(sound.segments) == 3


@pytest.mark.parametrize("step", STEPS)
def test_the_length_is_that_of_all_of_it(step: Presentation) -> None:
    """Pages and captions go by it from the first piece on."""
    assert float(step.duration) == pytest.approx(float(GROWTH.duration), abs=0.1)
