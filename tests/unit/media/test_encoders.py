"""Encoders: which are tried and chosen, and that each kind's stream becomes the same form of rendition."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from streamhost import sandbox
from streamhost.cli.config import config
from streamhost.media import choice, encoders, run, tasks
from streamhost.media.errors import EncoderFailed
from streamhost.media.execute import execute
from streamhost.media.run import run_task
from streamhost.model.streaming import Plan, Rung
from streamhost.testing import clips
from tests.unit.media import workshop

RUNG = Rung("v180", 320, 180, 23, 800_000, 1_200_000)
LIMITS = sandbox.Limits(silence_seconds=300, nice=0)


@pytest.mark.parametrize(
    ("wanted", "working", "chosen"),
    [
        ("auto", ("libx264", "h264_nvenc"), "libx264"),
        ("auto", ("h264_qsv",), "h264_qsv"),
        ("hardware", ("h264_qsv", "h264_amf", "libx264"), "h264_qsv"),
        ("hardware", ("libx264",), "libx264"),
        ("h264_nvenc", ("h264_nvenc", "libx264"), "h264_nvenc"),
        ("h264_nvenc", ("libx264",), "libx264"),
        ("libx264", (), "libx264"),
        ("auto", (), "libx264"),
    ],
)
def test_the_first_wish_that_works_is_chosen(wanted: str, working: tuple[str, ...], chosen: str) -> None:
    """auto prefers libx264, hardware any chip, a name itself; software ends every list."""
    found = choice.choose(wanted, working, {})
    assert found.name == chosen
    assert (found.note is None) == (chosen == choice.candidates(wanted)[0])


def test_a_choice_says_what_failed() -> None:
    """Where a wish was not met, the note names the encoder and the reason."""
    found = choice.choose("h264_nvenc", ("libx264",), {"h264_nvenc": "Cannot load libcuda.so.1"})
    assert found.note == "libx264 is used. h264_nvenc: Cannot load libcuda.so.1"


async def test_a_trial_tells_what_works_and_why_others_do_not() -> None:
    """In the child as it is confined: libx264 makes a stream that decodes; what is not there has a reason in words."""
    answer = await run_task(tasks.TryEncoders(choice.ENCODERS), lambda _share, _step: None, None, LIMITS)
    assert isinstance(answer, tasks.EncodersTried)
    assert "libx264" in answer.working
    assert set(answer.working) | set(answer.reasons) == set(choice.ENCODERS)
    assert all(reason.endswith((".", ")")) for reason in answer.reasons.values())


def test_an_encoder_that_ignores_keyframes_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial looks at what came out, not only at whether there was an error."""
    deaf = replace(encoders.KINDS["libx264"], options=lambda _rung, _preset: {"x264-params": "annexb=0:keyint=5"})
    monkeypatch.setitem(encoders.KINDS, "libx264", deaf)
    answer = execute(tasks.TryEncoders(("libx264",)))
    assert isinstance(answer, tasks.EncodersTried)
    assert answer.working == ()
    assert answer.reasons == {"libx264": "libx264 does not put keyframes where they are asked for."}


def test_a_chips_stream_becomes_the_same_rendition(
    marked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start codes, other pixel layout, no B-frames, as chips have them: samples with lengths, every picture there."""
    plain = "annexb=1:aud=1:repeat-headers=1:keyint=infinite:min-keyint=1:scenecut=0"
    kind = encoders.Kind(lambda _rung, _preset: {"preset": "ultrafast", "x264-params": plain}, pixel_format="nv12")
    monkeypatch.setitem(encoders.KINDS, "libx264", kind)
    package = workshop.package(marked, tmp_path / "package", encode=True)
    for name in workshop.video_names(package):
        found = workshop.pictures(workshop.whole(package, name))
        assert [number for _, number in found] == list(range(300))
        data = (package.out / name / "0.m4s").read_bytes()
        assert b"\0\0\0\1\x09" not in data  # no access unit delimiter behind a start code


def test_an_encoder_that_cannot_be_opened_is_named(marked: Path, tmp_path: Path) -> None:
    """A chunk whose plan names an encoder that does not work here fails with the error that says so."""
    info = workshop.probe(marked)
    plan = execute(tasks.MakePlan(str(marked), info, (RUNG,), workshop.QUICK))
    assert isinstance(plan, Plan)
    missing = replace(plan, encoder="h264_amf")
    with pytest.raises(EncoderFailed, match="h264_amf"):
        execute(tasks.EncodeChunk(str(marked), str(tmp_path), info, missing, 0))


def test_what_an_encoder_refuses_amid_its_work_is_its_failure() -> None:
    """An error of a running encoder comes out as its own, not as damage of the source."""
    encoder = encoders.Encoder("libx264", RUNG, 12800, Fraction(25), "ultrafast", 1)
    list(encoder.encode(clips.picture(clips.Clip(), 0), 0, key=True))
    list(encoder.encode(None))
    with pytest.raises(EncoderFailed, match="libx264"):
        list(encoder.encode(clips.picture(clips.Clip(), 1), 512))


def test_only_tasks_for_chips_see_their_devices(tmp_path: Path) -> None:
    """Device files are handed to trials and chunks of hardware encoders, to nothing else."""
    assert run.needs_hardware(tasks.TryEncoders(("h264_nvenc",)))
    assert not run.needs_hardware(tasks.TryEncoders(("libx264",)))
    assert not run.needs_hardware(tasks.Probe("a.mp4"))
    for name in ("nvidia0", "nvidiactl", "sda"):
        (tmp_path / name).touch()
    (tmp_path / "dri").mkdir()
    (tmp_path / "dri" / "renderD128").touch()
    found = [path.relative_to(tmp_path).as_posix() for path in run.devices(tmp_path)]
    assert found == ["dri/renderD128", "nvidia0", "nvidiactl"]


@pytest.fixture(scope="module")
def reordered(marked: Path, tmp_path_factory: pytest.TempPathFactory) -> workshop.Package:
    """The clip encoded as usual, with B-frames."""
    encoding = tasks.Encoding(segment=1.0, chunk=4.0)
    return workshop.package(marked, tmp_path_factory.mktemp("b") / "package", encode=True, encoding=encoding)


@pytest.fixture(scope="module")
def coded(reordered: workshop.Package) -> dict[str, list[tuple[float, bool]]]:
    """What Debian's ffprobe reads of every rendition: times of pictures in the order of decoding, and what is a key."""
    found = {}
    for name in workshop.video_names(reordered):
        path = str(workshop.whole(reordered, name))
        entries = ["-select_streams", "v:0", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"]
        lines = workshop.output(["ffprobe", "-v", "error", *entries, path]).split()
        found[name] = [(float(time), "K" in flags) for time, flags in (line.split(",")[:2] for line in lines)]
    return found


def test_keyframes_stand_at_the_same_times_in_every_rung(
    reordered: workshop.Package, coded: dict[str, list[tuple[float, bool]]]
) -> None:
    """In every rendition keyframes stand at the segments' starts and nowhere else, so players switch anywhere."""
    assert len(coded) == 3
    for rendition in reordered.presentation.video:
        starts = [segment.start / rendition.timescale for segment in rendition.segments]
        assert [time for time, key in coded[rendition.name] if key] == pytest.approx(starts, abs=1e-4)


def test_groups_are_closed(coded: dict[str, list[tuple[float, bool]]]) -> None:
    """No picture that is decoded after a keyframe is shown before it: a segment needs no other one."""
    for pictures in coded.values():
        times = [time for time, _ in pictures]
        assert times != sorted(times), "without reordering there is nothing to see"
        for place, (shown, key) in enumerate(pictures):
            if key:
                assert all(time > shown for time in times[place + 1 :])
                assert all(time < shown for time in times[:place])


def test_the_command_shows_what_works_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`streamhost config encoders` has a line for each encoder, and says which one the settings choose."""
    monkeypatch.setenv("STREAMHOST_MEDIA_ENCODER", "h264_amf")
    done = CliRunner().invoke(config, ["encoders", "--data", str(tmp_path)])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == list(choice.ENCODERS)
    assert lines[0].split()[1] == "works"
    assert lines[-1].startswith('With media.encoder = "h264_amf" videos are encoded by ')
