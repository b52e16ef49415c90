"""The manifests' exact texts. A change here is a change of what every player reads: look at it, then write it anew.

``STREAMHOST_WRITE_GOLDEN=1 pytest tests/golden`` writes the files.
"""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest

from streamhost.media import dash, hls, timeline
from streamhost.model.protection import RenditionProtection, Scheme
from streamhost.model.stills import Storyboard
from streamhost.model.streaming import MASTER_PLAYLIST, Presentation, Purpose, Rendition, TextTrack
from tests.unit.media.facts import audio_rendition, video_rendition

HERE = Path(__file__).parent / "manifests"
FILM = (51200, 51200, 53248, 51200, 20480)

VIDEO_KID, AUDIO_KID = "0123456789abcdef" * 2, "fedcba9876543210" * 2


def _under(video: RenditionProtection, audio: RenditionProtection) -> list[Rendition]:
    """A film under protection. Files that are encrypted as a whole have no keyframes to be read by themselves."""
    film = video_rendition("v720", FILM, protection=video)
    if not video.scheme.common:
        film = replace(film, segments=tuple(segment._replace(key_size=0) for segment in film.segments))
    return [film, audio_rendition("a-eng", language="eng", label="English", protection=audio)]


CASES = {
    "film": [
        video_rendition("v720", FILM),
        video_rendition("v480", FILM, width=854, height=480, codecs="avc1.64001E"),
        audio_rendition("a-eng", language="eng", label="English", default=True),
        audio_rendition("a-deu", language="deu", label="Deutsch", default=False),
    ],
    "silent": [
        video_rendition("v1080", width=1920, height=1080, frame_rate=Fraction(30000, 1001), codecs="avc1.640028")
    ],
    "cenc": _under(RenditionProtection(Scheme.CENC, (VIDEO_KID,)), RenditionProtection(Scheme.CENC, (AUDIO_KID,))),
    "cbcs": _under(
        RenditionProtection(Scheme.CBCS, (VIDEO_KID,), "ab" * 16, clear_until=51200),
        RenditionProtection(Scheme.CBCS, (AUDIO_KID,), "cd" * 16, clear_until=192000),
    ),
    "aes-128": _under(
        RenditionProtection(Scheme.AES_128, (VIDEO_KID, "12" * 16), rotate_every=2, clear_until=50000),
        RenditionProtection(Scheme.AES_128, (AUDIO_KID,)),
    ),
    "radio": [audio_rendition()],
    "awkward": [
        video_rendition("v720", FILM),
        video_rendition("v360", (92160, 92160, 43008), timescale=10240, width=640, height=360),
        audio_rendition("a-eng", language="eng", label='Kommentar "roh" & <ungeschnitten>\n#EXT', default=False),
        audio_rendition("a-eng-2", language="eng", default=False),
        audio_rendition("a-main", default=False, channels=1),
    ],
    "tracks": [
        video_rendition("v720", FILM),
        audio_rendition("a-en", language="en", default=True, purpose=Purpose.COMMENTARY),
        audio_rendition("a-de", language="de", default=True),
        audio_rendition("a-de-2", language="de", purpose=Purpose.DESCRIPTION),
    ],
    "languages": [
        audio_rendition("a-pt-BR", language="pt-BR", default=False),
        audio_rendition("a-en", language="en", default=True),
    ],
}
HLS_ALONE = {"aes-128"}
CAPTIONS = {
    "tracks": [
        TextTrack("captions/one", "de", "Deutsch", default=True),
        TextTrack("captions/two", "en", 'English "for" <all>', hearing_impaired=True),
        TextTrack("captions/three", "de", "Deutsch", forced=True),
    ],
    "languages": [TextTrack("captions/words", "pt-BR", "Português")],
}
STORYBOARDS = {
    "film": Storyboard(1, 18, 192, 108, 5, 2, (70_001, 40_000)),
    "silent": Storyboard(2, 5, 108, 192, 5, 1, (12_345,)),
}


def texts(name: str) -> dict[str, str]:
    """All manifests of a case by file name."""
    found = timeline.presentation(CASES[name], STORYBOARDS.get(name), CAPTIONS.get(name, ()))
    media = {path.replace("/", "-"): text for path, text in hls.playlists(found).items()}
    return media if name in HLS_ALONE else media | {"manifest.mpd": dash.manifest(found)}


@pytest.mark.parametrize("name", CASES)
def test_manifests_are_as_kept(name: str) -> None:
    """Every playlist and the MPD are, letter for letter, the kept ones."""
    made = texts(name)
    folder = HERE / name
    if os.environ.get("STREAMHOST_WRITE_GOLDEN"):
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in made.items():
            (folder / path).write_text(text)
    assert made == {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize("name", [name for name in CASES if name not in HLS_ALONE])
def test_an_mpd_is_xml(name: str) -> None:
    """The MPD parses, and its labels come back as they were."""
    root = ElementTree.fromstring(texts(name)["manifest.mpd"])
    labels = [element.text for element in root.iter("{urn:mpeg:dash:schema:mpd:2011}Label")]
    kept = [r.label.replace("\n", "") for r in timeline.presentation(CASES[name]).audio if r.label]
    kept += ["English (commentary)", "Deutsch (audio description)"] if name == "tracks" else []
    assert labels == kept + [track.label for track in CAPTIONS.get(name, ())]


def test_dash_refuses_files_that_are_encrypted_whole() -> None:
    """There is no manifest that a DASH player would find unreadable segments by."""
    with pytest.raises(ValueError, match="whole-file"):
        dash.manifest(timeline.presentation(CASES["aes-128"]))


def test_a_label_cannot_add_a_line() -> None:
    """What a creator writes as a name stays inside its quotes."""
    master = texts("awkward")[MASTER_PLAYLIST]
    assert "\n#EXT\n" not in master
    assert all(line.count('"') % 2 == 0 for line in master.splitlines())


def test_an_empty_presentation_names_nothing() -> None:
    """Before anything stands the manifests are empty but valid."""
    assert hls.master(Presentation(())).startswith("#EXTM3U\n")
    ElementTree.fromstring(dash.manifest(Presentation(())))
