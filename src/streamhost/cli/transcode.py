"""`streamhost transcode`: one local file made into a stream in a folder, without a server."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streamhost import log
from streamhost.cli.bars import left_text, live_bars, speed_text, step_text, words
from streamhost.config import load
from streamhost.features.transcoding import EncoderChooser, FolderMaker, Made, Standing
from streamhost.host_media import rules_of, runner_of
from streamhost.late import late
from streamhost.media.run import MediaRunner
from streamhost.model.clock import system_clock
from streamhost.model.streaming import (
    CAPTIONS_FILE,
    MANIFEST,
    MASTER_PLAYLIST,
    POSTER,
    FrameRateKind,
    Presentation,
    VideoTrack,
)
from streamhost.model.videos import Protection
from streamhost.model.words import blanked

if TYPE_CHECKING:
    from rich import progress
else:
    progress = late("rich.progress")

INTERRUPTED = 130
LINE_EVERY = 0.1
"""Share after which another line is printed where nobody watches a bar."""


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--heights",
    help="Lines of the encoded renditions, such as 1080,720,360; a source that players take stands beside them. "
    "[default: as set in media.heights]",
)
@click.option(
    "--protection",
    type=click.Choice([Protection.NONE.value]),
    default=Protection.NONE.value,
    show_default=True,
    help="How the segments are protected; the others need a server that hands out keys.",
)
@click.option("--workers", type=click.IntRange(1, 64), help="Media processes at once. [default: as set, or one a core]")
@click.option(
    "--force",
    is_flag=True,
    help="Write into a folder that is not empty. What an earlier stream left there goes; other files stay.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs: print what was made as JSON.")
@click.pass_context
def transcode(
    ctx: click.Context,
    file: Path,
    directory: Path,
    heights: str | None,
    protection: str,
    workers: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Make FILE into a stream in DIRECTORY that any web server can hand out: HLS, DASH and their segments.

    Settings are read as the server reads them. Interrupted, the same command goes on where it stopped. Exit code 0
    only if the stream is whole.
    """
    lines = _lines(heights)
    settings = load(media__heights=lines, media__max_height=max(lines) if lines else None, jobs__media_workers=workers)
    log.configure("error", settings.log.format)
    rules, run = rules_of(settings), runner_of(settings)
    begun = time.monotonic()
    with _Bar(file.name) as bar:
        maker = FolderMaker(
            run,
            rules,
            EncoderChooser(settings.media.encoder, run),
            system_clock,
            at_once=rules.encoding.workers,
            told=bar.told,
        )
        try:
            made = asyncio.run(_made(maker, run, file.absolute(), directory.absolute(), force=force))
        except KeyboardInterrupt:
            bar.say("Interrupted. The same command goes on where this stopped.")
            ctx.exit(INTERRUPTED)
    seconds = time.monotonic() - begun
    if as_json:
        click.echo(json.dumps(_document(made, directory, protection, seconds), ensure_ascii=False))
    else:
        _tell(made, directory, seconds)


async def _made(maker: FolderMaker, run: MediaRunner, file: Path, directory: Path, *, force: bool) -> Made:
    try:
        return await maker.make(file, directory, force=force)
    finally:
        await run.close()


def _lines(heights: str | None) -> Sequence[int] | None:
    """The heights as numbers."""
    if heights is None:
        return None
    try:
        found = [int(word) for word in heights.split(",")]
    except ValueError:
        raise click.BadParameter("numbers with commas between them are needed.", param_hint="--heights") from None
    return sorted(set(found), reverse=True)


class _Bar:
    """Progress on standard error: a bar for people, now and then a line where standard error is no terminal."""

    def __init__(self, name: str) -> None:
        self._bars = live_bars(progress.TaskProgressColumn(), words("fields[pace]"))
        self._name = blanked(name)
        self._bar = self._bars.add_task(self._name, total=1.0, pace="")
        self._due = 0.0

    def __enter__(self) -> _Bar:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def told(self, standing: Standing) -> None:
        """Show how far it is."""
        said = (step_text(standing.step), speed_text(standing.estimate.speed), left_text(standing.estimate.eta))
        pace = ", ".join(filter(None, said))
        if not self._bars.disable:
            self._bars.update(self._bar, completed=standing.share, pace=pace)
        elif standing.share >= self._due:
            self._due = standing.share + LINE_EVERY
            self.say(f"{self._name}: {standing.share:.0%}, {pace}")

    def say(self, text: str) -> None:
        """A line that stays."""
        self._bars.console.print(text, highlight=False, markup=False)


def _tell(made: Made, directory: Path, seconds: float) -> None:
    video = Presentation(made.renditions)
    length = float(video.duration)
    if made.info.video:
        click.echo(_source_line(made.info.video))
    click.echo(f"{directory}: {length:.1f} s of film in {seconds:.1f} s ({length / max(seconds, 0.001):.1f}x)")
    for rendition in (*video.video, *video.audio):
        size = f"{rendition.width}x{rendition.height}" if rendition.width else rendition.language or "sound"
        click.echo(f"  {rendition.name:8} {size:10} {rendition.codecs}  {rendition.bandwidth // 1000} kbit/s")
    for track in made.captions:
        click.echo(f"  captions {track.language:10} {track.label}")
    for note in made.notes:
        click.echo(f"  {note}")
    click.echo(f"Play {os.path.join(directory, MASTER_PLAYLIST)} (HLS) or {MANIFEST} (DASH).")


def _source_line(video: VideoTrack) -> str:
    width, height = video.display_size
    irregular = ", at irregular times" if video.frame_rate_kind is FrameRateKind.VARIABLE else ""
    return f"Source: {video.codec} {width}x{height}, {float(video.frame_rate):.5g} pictures a second{irregular}"


def _source_document(video: VideoTrack) -> dict[str, Any]:
    width, height = video.display_size
    return {
        "codec": video.codec,
        "width": width,
        "height": height,
        "frame_rate": round(float(video.frame_rate), 3),
        "frame_rate_kind": video.frame_rate_kind,
    }


def _document(made: Made, directory: Path, protection: str, seconds: float) -> dict[str, Any]:
    length = float(Presentation(made.renditions).duration)
    return {
        "directory": str(directory.resolve()),
        "hls": MASTER_PLAYLIST,
        "dash": MANIFEST,
        "poster": POSTER if made.poster else None,
        "protection": protection,
        "source": _source_document(made.info.video) if made.info.video else None,
        "duration": length,
        "seconds": round(seconds, 3),
        "speed": round(length / max(seconds, 0.001), 3),
        "renditions": [
            {
                "name": rendition.name,
                "kind": rendition.kind.value,
                "width": rendition.width,
                "height": rendition.height,
                "codec": rendition.codecs,
                "bitrate": rendition.bandwidth,
                "language": rendition.language,
                "copied": rendition.copied,
            }
            for rendition in made.renditions
        ],
        "captions": [
            {"language": track.language, "label": track.label, "file": f"{track.name}/{CAPTIONS_FILE}"}
            for track in made.captions
        ],
        "chapters": [{"start": float(mark.start), "title": mark.title} for mark in made.info.chapters],
        "notes": list(made.notes),
    }
