"""What is decided about a source, and in which order it is made."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from streamhost.features.transcoding import recipe as recipes
from streamhost.features.transcoding import stages
from streamhost.features.transcoding.recipe import Recipe
from streamhost.media import compat, ladder, tasks
from streamhost.media.errors import NoTracks
from streamhost.model.streaming import AudioTrack, Chunk, MediaInfo, Plan, Transfer, VideoTrack

VIDEO = VideoTrack(
    index=0,
    codec="h264",
    profile="High",
    level=31,
    width=1280,
    height=720,
    pixel_format="yuv420p",
    bit_depth=8,
    pixel_aspect=Fraction(1),
    rotation=0,
    flipped=False,
    frame_rate=Fraction(25),
    time_base=Fraction(1, 12800),
    start=Fraction(0),
    bit_rate=2_000_000,
    interlaced=False,
    full_range=False,
    transfer=Transfer.SDR,
    color_matrix="bt709",
    picture_reorder=2,
)
AUDIO = AudioTrack(
    index=1,
    codec="aac",
    profile="LC",
    sample_rate=48000,
    channels=2,
    language="eng",
    title=None,
    default=True,
    time_base=Fraction(1, 48000),
    start=Fraction(0),
    bit_rate=128_000,
)
INFO = MediaInfo("mov,mp4", 13_000_000, Fraction(50), Fraction(0), VIDEO, (AUDIO,))
PLAN = Plan(
    timescale=1000,
    frame_duration=40,
    phase=0,
    frame_rate=Fraction(25),
    origin=Fraction(0),
    boundaries=(0, 4000, 8000, 50_000),
    chunks=(Chunk(0, 2, Fraction(0)), Chunk(2, 3, Fraction(8))),
    rungs=(),
)


def choose(info: MediaInfo) -> Recipe:
    return recipes.choose(info, ladder.LadderSettings(), tasks.Encoding(), compat.CopyLimits())


def names(parts: tuple[stages.Part, ...]) -> list[str]:
    return [part.name for part in parts]


def test_a_source_that_players_take_is_copied_and_only_smaller_rungs_are_encoded() -> None:
    """H.264 with AAC is copied, its sound too; every encoded rung is smaller than the source."""
    recipe = choose(INFO)
    assert recipe.copies
    assert recipe.encode_audio == ()
    assert recipe.rungs
    assert all(rung.height < 720 for rung in recipe.rungs)


def test_a_source_that_players_do_not_take_is_encoded_whole_and_says_why() -> None:
    """10-bit video is encoded with all its sound, and the reason is a sentence."""
    recipe = choose(replace(INFO, video=replace(VIDEO, pixel_format="yuv420p10le", profile="High 10")))
    assert not recipe.copies
    assert recipe.encode_audio == (0,)
    assert recipe.rungs[0].height == 720
    assert recipe.obstacle
    assert recipe.obstacle.endswith(".")


def test_sound_that_players_do_not_take_is_encoded_beside_a_copied_picture() -> None:
    """AC-3 beside H.264: the picture is copied, the sound encoded."""
    recipe = choose(replace(INFO, audio=(replace(AUDIO, codec="ac3"),)))
    assert recipe.copies
    assert recipe.encode_audio == (0,)


def test_a_file_with_nothing_to_play_is_refused() -> None:
    """Neither picture nor sound: a named error."""
    with pytest.raises(NoTracks):
        choose(replace(INFO, video=None, audio=()))


def test_a_recipe_survives_the_catalog() -> None:
    """What is stored as JSON comes back equal, plan included."""
    recipe = replace(choose(INFO), plan=PLAN)
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_the_stages_of_a_copied_source() -> None:
    """Copy first, then it plays, then the chunks of the lower rungs and what they show, then it is ready."""
    recipe = choose(INFO)
    first, playable, rest, pictures, ready = stages.INGEST
    assert names(first.opens(recipe)) == ["copy"]
    assert stages.follow_up(recipe, stages.COPY) == ()
    assert names(playable.opens(recipe)) == ["publish-playable"]
    assert names(rest.opens(replace(recipe, plan=PLAN))) == ["chunk-0", "chunk-1"]
    assert names(pictures.opens(replace(recipe, plan=PLAN))) == ["storyboard"]
    assert names(ready.opens(recipe)) == ["publish-ready"]
    assert [stage.name for stage in stages.INGEST if stage.urgent] == ["first", "playable"]


def test_the_stages_of_an_encoded_source() -> None:
    """Reading through gives the plan; chunks and sound follow in the first stage, nothing is left for later."""
    recipe = replace(choose(replace(INFO, video=replace(VIDEO, codec="vp9"))), plan=PLAN)
    assert names(stages.INGEST[0].opens(recipe)) == ["plan"]
    assert names(stages.follow_up(recipe, stages.PLAN)) == ["audio-0", "chunk-0", "chunk-1"]
    assert stages.INGEST[2].opens(recipe) == ()


def test_a_copy_without_lower_rungs_is_looked_at() -> None:
    """Where the copy is all there will be, chunks are decoded for their stills alone, which is little work."""
    recipe = replace(choose(INFO), rungs=(), plan=replace(PLAN, rungs=()))
    chunks = stages.stage("rest").opens(recipe)
    assert names(chunks) == ["chunk-0", "chunk-1"]
    assert sum(chunk.weight for chunk in chunks) < float(INFO.duration) / 5


def test_a_copy_that_turns_out_impossible_falls_back_to_encoding() -> None:
    """The obstacle found while reading makes the same stage go on with a plan, and the ladder is the whole one."""
    recipe = choose(INFO).with_obstacle("Keyframes are 30 seconds apart.", ladder.LadderSettings())
    assert names(stages.follow_up(recipe, stages.COPY)) == ["plan"]
    assert recipe.rungs[0].height == 720
    assert recipe.encode_audio == (0,)


def test_a_source_of_sound_alone_needs_no_reading() -> None:
    """Without a picture the first stage is the sound, and there is no storyboard."""
    recipe = choose(replace(INFO, video=None))
    assert stages.onward("playable", recipe) == stages.stage("ready")
    assert names(stages.INGEST[0].opens(recipe)) == ["audio-0"]


def test_weights_never_exceed_the_work_that_was_announced() -> None:
    """Progress is parts done over all work known from the start, so the bar never runs backwards."""
    for info in (INFO, replace(INFO, video=replace(VIDEO, codec="vp9")), replace(INFO, video=None)):
        recipe = replace(choose(info), plan=PLAN if info.video else None)
        opened = [part for stage in stages.INGEST for part in stage.opens(recipe)]
        for part in tuple(opened):
            opened += stages.follow_up(recipe, part.what)
        assert sum(part.weight for part in opened) == pytest.approx(recipe.work)


def test_every_stage_leads_to_the_next() -> None:
    """The list is the order; after the last there is nothing."""
    assert [stages.after(stage.name) for stage in stages.INGEST] == [*stages.INGEST[1:], None]
    assert stages.parse("chunk-12") == ("chunk", 12)
    assert stages.parse("publish-ready") == ("publish", 0)
