"""Files with more in them than picture and sound: languages, subtitles, chapters. Made by Debian's ffmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path

from streamhost.testing import clips
from streamhost.testing.clips import Clip

SUBTITLES = """1
00:00:00,500 --> 00:00:02,500
<i>Bonjour</i>

2
00:00:06,000 --> 00:00:08,000
Au milieu
"""
CHAPTERS = ((0, "One"), (1, "Two"))


def film(folder: Path, seconds: float = 3, chapters: tuple[tuple[int, str], ...] = CHAPTERS) -> Path:
    """A film in English and German, with French subtitles and chapters."""
    source = clips.make(folder / "plain.mkv", Clip(seconds=seconds, languages=("eng", "ger")))
    (folder / "a.srt").write_text(SUBTITLES)
    ends = [start for start, _ in chapters[1:]] + [int(seconds)]
    lines = [";FFMETADATA1"]
    for (start, title), end in zip(chapters, ends, strict=True):
        lines += ["[CHAPTER]", "TIMEBASE=1/1", f"START={start}", f"END={end}", f"title={title}"]
    (folder / "c.txt").write_text("\n".join(lines) + "\n")
    made = folder / "film.mkv"
    inputs = ["-i", source, "-i", folder / "a.srt", "-i", folder / "c.txt"]
    options = ["-map", "0", "-map", "1", "-map_chapters", "2", "-c", "copy", "-metadata:s:s:0", "language=fre"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, inputs), *options, str(made)], check=True, timeout=150)
    return made
