"""Facts: merging what chunks made, and the sums made of them."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.media import hls, timeline, wire
from streamhost.media.errors import PartsDoNotFit
from streamhost.model.streaming import Presentation, Rendition
from tests.unit.media.facts import audio_rendition, segments, video_rendition

lengths = st.lists(st.integers(1, 10**6), min_size=1, max_size=30)


@given(lengths, st.lists(st.integers(0, 30), max_size=5), st.randoms(use_true_random=False))
def test_parts_in_any_order_make_the_whole(durations: list[int], cuts: list[int], order: Random) -> None:
    """However a rendition was cut into chunks, and in whatever order they finished, merging gives it back."""
    whole = video_rendition(durations=tuple(durations))
    places = sorted({min(cut, len(durations)) for cut in cuts} | {0, len(durations)})
    parts = [replace(whole, segments=whole.segments[a:b]) for a, b in pairwise(places) if a < b]
    order.shuffle(parts)
    assert timeline.merge(parts) == (whole,)


@given(lengths.filter(lambda found: len(found) > 2), st.data())
def test_a_missing_part_is_noticed(durations: list[int], data: st.DataObject) -> None:
    """A segment that is not there leaves a gap, and a gap is an error."""
    whole = video_rendition(durations=tuple(durations))
    lost = data.draw(st.integers(1, len(durations) - 2))
    with pytest.raises(PartsDoNotFit):
        timeline.merge([replace(whole, segments=whole.segments[:lost] + whole.segments[lost + 1 :])])


def test_parts_made_differently_do_not_fit() -> None:
    """Chunks whose encoders disagree on the codec cannot stand behind one header."""
    first, second = video_rendition(durations=(100,)), video_rendition(durations=(100,), codecs="avc1.640020")
    with pytest.raises(PartsDoNotFit):
        timeline.merge([first, replace(second, segments=segments((100,), start=100))])


def test_several_renditions_merge_at_once() -> None:
    """Parts of all rungs of all chunks go in together."""
    rungs = [video_rendition("v720"), video_rendition("v360", width=640, height=360)]
    parts = [replace(r, segments=(segment,)) for r in rungs for segment in r.segments]
    assert timeline.merge(reversed(parts)) == (rungs[1], rungs[0])


@given(lengths)
def test_runs_tell_every_segment(durations: list[int]) -> None:
    """The compressed timeline unfolds to the segments it stands for."""
    given_segments = segments(tuple(durations))
    unfolded = [
        (start + number * duration, duration)
        for start, duration, count in timeline.runs(given_segments)
        for number in range(count)
    ]
    assert unfolded == [(segment.start, segment.duration) for segment in given_segments]


def test_one_audio_rendition_is_the_default() -> None:
    """Of several defaults the first stays; of none the first becomes it."""
    two = [audio_rendition("a-eng", default=True), audio_rendition("a-deu", default=True)]
    assert [r.default for r in timeline.presentation(two).renditions] == [True, False]
    none = [audio_rendition("a-eng", default=False), audio_rendition("a-deu", default=False)]
    assert [r.default for r in timeline.presentation(none).renditions] == [True, False]


def test_an_empty_rendition_is_no_presentation() -> None:
    """A rendition without segments cannot be offered."""
    with pytest.raises(PartsDoNotFit):
        timeline.presentation([video_rendition(durations=())])


def test_bandwidth_is_average_and_peak() -> None:
    """The average is over all, the peak over the costliest stretch of about a segment; a tiny rest is not one."""
    rendition = replace(
        video_rendition(),
        segments=(segments((51200,), 10) + segments((51200,), 20, 51200) + segments((128,), 10_000, 102400)),
    )
    assert rendition.bandwidth == round((512000 + 1024000 + 1280000) * 8 * 12800 / 102528)
    assert rendition.peak_bandwidth == -(-(1024000 + 1280000) * 8 * 12800 // (51200 + 128))
    assert rendition.target_duration == 4
    assert (rendition.start, rendition.duration) == (Fraction(0), Fraction(102528, 12800))


@given(lengths)
def test_facts_survive_the_catalog(durations: list[int]) -> None:
    """A presentation becomes JSON and comes back exactly."""
    facts = Presentation((video_rendition(durations=tuple(durations)), audio_rendition(label='"A" & <b>')))
    assert wire.loads(wire.dumps(facts), Presentation) == facts
    assert wire.convert(json.loads(json.dumps(wire.builtins(facts))), Presentation) == facts
    assert wire.loads(wire.dumps(facts.renditions[0]), Rendition) == facts.renditions[0]


def test_facts_without_the_size_of_keyframes_can_still_be_read() -> None:
    """A package made before those were noted plays as it did: without playlists of keyframes."""
    whole = video_rendition()
    kept = json.loads(wire.dumps(whole))
    kept["segments"] = [segment[:3] for segment in kept["segments"]]
    old = wire.loads(json.dumps(kept), Rendition)
    assert [segment[:3] for segment in old.segments] == [segment[:3] for segment in whole.segments]
    assert old.key_bandwidth == 0
    assert "I-FRAME" not in hls.master(timeline.presentation([old]))
