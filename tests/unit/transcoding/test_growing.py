"""A long film is shown while it is made: in a whole house, whose chunks a test holds back and lets go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import m3u8  # type: ignore[import-untyped]  # it has no types
import pytest

from streamhost import sandbox
from streamhost.db import packages, videos
from streamhost.features.transcoding import Action, named, pipeline
from streamhost.features.transcoding.downloads import DownloadImpossible
from streamhost.features.transcoding.recipe import Recipe
from streamhost.host import Host
from streamhost.media import tasks, wire
from streamhost.media.run import run_task
from streamhost.model.accounts import Role, Viewer
from streamhost.model.clock import HOUR, Clock
from streamhost.model.ids import PackageId
from streamhost.model.streaming import INIT_SEGMENT, MANIFEST, MEDIA_PLAYLIST, Chunk
from streamhost.model.videos import Protection, Video, VideoState, package_prefix
from streamhost.sandbox_process import Start
from streamhost.testing import clips
from tests.support import protected
from tests.support.house import a_host
from tests.unit.media.facts import audio_rendition, segments, video_rendition
from tests.unit.transcoding.test_recipe import INFO, PLAN, choose

FILM = clips.Clip(seconds=40, width=160, height=90, fps=Fraction(10), gop=20)
"""Five chunks of eight seconds."""
BEGUN = time.time()


def house_clock() -> float:
    """A tenth as fast as the world's: what is made more slowly than it plays is not shown early, and how busy this
    machine is says nothing of that."""
    return BEGUN + (time.time() - BEGUN) / 10


class HoldsBack:
    """Runs tasks in real children; chunks from the `first` on wait until `go` is set."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.go = asyncio.Event()

    async def __call__(
        self,
        task: tasks.Task,
        report: Callable[[float, str], None],
        writable: Path | None,
        limits: sandbox.Limits,
        start: Start | None = None,
    ) -> tasks.Answer:
        """Stand in for `run_task`."""
        if isinstance(task, tasks.EncodeChunk) and task.chunk >= self.first:
            await self.go.wait()
        return await run_task(task, report, writable, limits, start)


@asynccontextmanager
async def making(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: HoldsBack,
    clock: Clock = house_clock,
    protection: Protection = Protection.NONE,
) -> AsyncIterator[tuple[Host, Video]]:
    """A host that makes the film through `run`."""
    monkeypatch.setattr("streamhost.media.run.run_task", run)
    chosen = {"media__preset": "ultrafast", "media__chunk_seconds": 8.0, "media__copy_rate": 0}
    source = clips.make(folder / "film.mp4", FILM)

    async def body() -> AsyncIterator[bytes]:
        yield source.read_bytes()

    async with a_host(folder / "data", clock, jobs__media_workers=2, **chosen) as host:
        alice = await host.accounts.people.add("alice@example.org", "correct horse", "Alice", Role.CREATOR)
        details = {"filename": "film.mp4", "protection": protection.value}
        _, video = await host.uploads.receive(alice.id, body(), lambda: details)
        yield host, video


async def until(host: Host, video: Video, true: Callable[[Video], bool]) -> Video:
    """The video once something is true of it."""
    deadline = time.monotonic() + 300
    while True:
        async with host.db.read() as conn:
            found = await videos.get(conn, video.id)
        if found is not None and true(found):
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


def settled(video: Video) -> bool:
    return video.state in (VideoState.READY, VideoState.FAILED)


def text(host: Host, video: Video, name: str) -> str:
    """A manifest of what plays, as it is stored."""
    assert video.package_id is not None
    path = host.storage.local_path(package_prefix(video.id, video.package_id) + name)
    assert path is not None
    return path.read_text()


async def test_a_film_plays_before_its_end_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first chunks are watched while the others are made; what is listed is there; at last the lists end."""
    run = HoldsBack(3)
    async with making(tmp_path, monkeypatch, run) as (host, received):
        playlist = f"v90/{MEDIA_PLAYLIST}"
        early = await until(host, received, lambda video: video.playable)
        assert early.state is VideoState.PROCESSING
        assert early.growing
        assert early.duration == pytest.approx(40, abs=0.1)
        assert 'type="dynamic"' in text(host, early, MANIFEST)
        # All three chunks, whichever was done first.
        await until(host, received, lambda video: text(host, video, playlist).count("#EXTINF") == 6)
        begun = text(host, early, playlist)
        assert "#EXT-X-PLAYLIST-TYPE:EVENT" in begun
        assert "#EXT-X-ENDLIST" not in begun
        async with host.db.read() as conn:
            files = (await named(conn, early.id)).files
        paths = [path for path in map(host.storage.local_path, files) if path is not None]
        assert len(paths) == len(files)
        assert all(path.exists() for path in paths)
        with pytest.raises(DownloadImpossible):
            await host.downloads.rendition(replace(early, allow_download=True), Viewer(), None)
        run.go.set()
        whole = await until(host, received, settled)
        assert whole.state is VideoState.READY
        assert whole.package_id == early.package_id
        assert all(rendition.ready for rendition in whole.renditions)
        assert text(host, whole, playlist).startswith(begun)
        assert text(host, whole, playlist).endswith("#EXT-X-ENDLIST\n")
        assert 'type="static"' in text(host, whole, MANIFEST)


async def test_waiting_is_not_making(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was paused for an hour, or lay behind others' films, is shown as soon as what it takes to make allows it."""
    run, ahead = HoldsBack(0), 0.0
    monkeypatch.setattr("streamhost.jobs.pace.SEEN_ENOUGH", 0.0)
    async with making(tmp_path, monkeypatch, run, lambda: house_clock() + ahead) as (host, received):
        await until(host, received, lambda video: video.state is VideoState.PROCESSING)
        await host.control.act(received.id, None, Action.PAUSE)
        run.first, ahead = 3, HOUR
        await host.control.act(received.id, None, Action.RESUME)
        early = await until(host, received, lambda video: video.playable or settled(video))
        assert (early.state, early.growing) == (VideoState.PROCESSING, True)


async def test_an_encrypted_film_plays_while_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under Common Encryption what is listed early is decrypted by FFmpeg without a complaint, and no vector comes
    twice under a key in all of it."""
    run = HoldsBack(3)
    async with making(tmp_path, monkeypatch, run, protection=Protection.CENC) as (host, received):
        early = await until(host, received, lambda video: video.playable)
        assert "cenc:default_KID" in text(host, early, MANIFEST)
        assert early.growing
        keys = {key.kid: key.key for key in await host.protections.local.of(early.package_id or PackageId(""))}
        run.go.set()
        film, seen = tmp_path / "v90.mp4", []
        for video in (early, await until(host, received, settled)):
            folder = host.storage.local_path(f"{package_prefix(video.id, video.package_id or PackageId(''))}v90/x")
            assert folder is not None
            listed = m3u8.loads(text(host, video, f"v90/{MEDIA_PLAYLIST}")).segments
            names = [INIT_SEGMENT, *(one.uri for one in listed)]
            film.write_bytes(b"".join((folder.parent / name).read_bytes() for name in names))
            kid = film.read_bytes().partition(b"tenc")[2][8:24].hex()
            assert protected.errors(film, keys[kid]) == ""
            seen.append(protected.vectors(film))
        assert len(set(seen[1])) == len(seen[1]) == 400
        assert seen[1][: len(seen[0])] == seen[0]


async def test_what_will_have_no_end_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled half-way nothing of it plays any more; taken up again it is shown, and becomes whole, as it would."""
    run = HoldsBack(3)
    async with making(tmp_path, monkeypatch, run) as (host, received):
        await until(host, received, lambda video: video.playable)
        await host.control.act(received.id, None, Action.CANCEL)
        stopped = await until(host, received, settled)
        assert (stopped.state, stopped.playable, stopped.package_id) == (VideoState.FAILED, False, None)
        run.go.set()
        await host.control.act(received.id, None, Action.RETRY)
        whole = await until(host, received, settled)
        assert (whole.state, whole.playable) == (VideoState.READY, True)
        async with host.db.read() as conn:
            assert len(await packages.of_video(conn, received.id)) == 1


LONG = replace(
    choose(replace(INFO, video=replace(INFO.video, codec="vp9") if INFO.video else None)),
    info=replace(INFO, duration=Fraction(40)),
    plan=replace(
        PLAN,
        boundaries=tuple(range(0, 41_000, 4000)),
        chunks=tuple(Chunk(2 * n, 2 * n + 2, Fraction(8 * n)) for n in range(5)),
    ),
)


def parts(done: tuple[int, ...], *, sound: bool = True) -> list[tuple[str, str | None]]:
    """The parts of the film of which these chunks are done."""

    def facts(rendition: object) -> str:
        return wire.dumps({"renditions": [wire.builtins(rendition)]}).decode()

    found: list[tuple[str, str | None]] = [("plan", "{}")]
    for number in range(5):
        piece = segments((51200, 51200), start=number * 102400, key=5)
        rendition = replace(video_rendition(), segments=piece)
        found.append((f"chunk-{number}", facts(rendition) if number in done else None))
    heard = audio_rendition(durations=(192512,) * 9 + (187392,))
    return [*found, ("audio-0", facts(heard) if sound else None)]


@pytest.mark.parametrize(
    ("done", "sound", "seconds"),
    [((0,), True, 8), ((0, 1, 3), True, 16), ((1, 2), True, 0), ((0, 1), False, 0), ((), True, 0)],
)
def test_what_can_be_watched_ends_before_the_first_gap(done: tuple[int, ...], sound: bool, seconds: int) -> None:
    """Chunks after one that is missing wait for it; without its sound nothing is shown; sound ends with pictures."""
    begun = pipeline.begun(LONG, parts(done, sound=sound))
    assert max((rendition.end for rendition in begun), default=0) == seconds
    assert len(begun) == (2 if seconds else 0)


@pytest.mark.parametrize(
    ("done", "elapsed", "eta", "worth"),
    [
        ((0,), 9.9, None, True),
        ((0,), 10.1, None, False),
        ((0, 1), 26.0, None, True),
        ((0, 1, 2, 3), 1.0, None, False),
        ((), 1.0, None, False),
        ((0,), 1e6, 40.0, True),
        ((0,), 1e6, 40.1, False),
        ((0,), 9.9, 1e6, True),
        ((1, 2), 1.0, 1.0, False),
    ],
)
def test_nobody_shall_have_to_wait_amid_a_film(
    done: tuple[int, ...], elapsed: float, eta: float | None, worth: bool
) -> None:
    """It is shown once, at the pace up to now, the rest takes no longer than all of it plays; not if nearly there. Time
    that it waited does not count where the pace is known."""
    assert pipeline.worth_showing(LONG, parts(done), elapsed, eta) is worth


def test_a_chip_and_a_copy_show_nothing_early() -> None:
    """What a chip made is made anew where it fails; a copy plays whole from the first."""
    chip: Recipe = replace(LONG, encoding=replace(LONG.encoding, encoder="h264_nvenc"))
    assert not pipeline.worth_showing(chip, parts((0, 1)), 1.0)
    assert not pipeline.worth_showing(replace(LONG, obstacle=None), parts((0, 1)), 1.0)
