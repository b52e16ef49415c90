"""Encrypted media as programs that we did not write open it: Shaka Packager, FFmpeg, OpenSSL."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import m3u8  # type: ignore[import-untyped]  # it has no types
import pytest

from streamhost.model.protection import Scheme, file_iv
from streamhost.model.streaming import INIT_SEGMENT, MASTER_PLAYLIST, Kind
from streamhost.testing import clips
from tests.support import protected
from tests.support.licensing import Site, served
from tests.support.node import NODE, installed
from tests.support.protected import Protected, protecting, repackage
from tests.unit.media import workshop

COMMON = [(Scheme.CENC, 0.0), (Scheme.CBCS, 0.0), (Scheme.CENC, 2.0), (Scheme.CBCS, 2.0)]
TINY = 48
CODINGS = {
    "cabac, weighted, pyramid": (("preset", "medium"), ("x264-params", "weightp=2:bframes=3:b-pyramid=normal:ref=4")),
    "cavlc, slices": (("preset", "veryfast"), ("profile", "baseline"), ("x264-params", "slices=4")),
    "no deblocking": (("preset", "fast"), ("x264-params", "no-deblock=1:bframes=2:ref=5")),
    "constrained intra, slices by size": (("preset", "fast"), ("x264-params", "slice-max-size=600:weightp=1")),
}


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory) -> Protected:
    """Six seconds, copied, with lower rungs; nothing encrypted."""
    folder = tmp_path_factory.mktemp("clear")
    made = workshop.package(clips.make(folder / "clip.mp4", clips.Clip(seconds=6)), folder / "package")
    return Protected(made.out, None, made.presentation)


@pytest.fixture(scope="module")
def under(clear: Protected, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[Scheme, float], Protected]:
    """The same under Common Encryption, with and without a clear lead."""
    folder = tmp_path_factory.mktemp("under")
    return {
        (scheme, lead): repackage(
            clear, folder / f"{scheme}-{lead}", protecting(scheme, clear.presentation.renditions, lead=lead)
        )
        for scheme, lead in COMMON
    }


@pytest.mark.parametrize("case", COMMON, ids=str)
def test_ffmpeg_reads_the_same_samples(
    case: tuple[Scheme, float], under: dict[tuple[Scheme, float], Protected], clear: Protected
) -> None:
    """Decrypted by FFmpeg, every sample of every rendition is the clear one's, byte for byte, and so are pictures."""
    package = under[case]
    for rendition in package.presentation.renditions:
        path, key = package.whole(rendition.name), package.key(rendition).key
        plain = clear.whole(rendition.name)
        expected = protected.samples(plain)
        assert len(expected.splitlines()) > 50
        assert protected.samples(path, key) == expected
        assert protected.pictures(path, key) == protected.pictures(plain)


@pytest.mark.parametrize("case", COMMON, ids=str)
def test_a_wrong_key_opens_nothing(
    case: tuple[Scheme, float], under: dict[tuple[Scheme, float], Protected], clear: Protected
) -> None:
    """With another key no sample is the clear one, but for those of a clear lead."""
    package = under[case]
    for rendition in package.presentation.renditions:
        wrong = protected.samples(package.whole(rendition.name), "00" * 16).splitlines()
        right = protected.samples(clear.whole(rendition.name)).splitlines()
        rows = [(a, b) for a, b in zip(wrong, right, strict=True) if not a.startswith("#")]
        times = [int(a.split(",")[1]) for a, _ in rows]
        # A segment is clear as a whole when it starts within the lead.
        lead = sum(s.duration for s in rendition.segments if s.start < case[1] * rendition.timescale)
        expected = [time - times[0] < lead for time in times]
        # What is shorter than a header and a block holds nothing that cbcs could encrypt.
        long = [int(a.split(",")[4]) > TINY for a, _ in rows]
        assert sum(long) > 20
        assert [a == b for (a, b), kept in zip(rows, long, strict=True) if kept] == [
            clear for clear, kept in zip(expected, long, strict=True) if kept
        ]


@pytest.mark.parametrize("case", COMMON, ids=str)
def test_shaka_packager_decrypts_the_same(
    case: tuple[Scheme, float], under: dict[tuple[Scheme, float], Protected], clear: Protected, tmp_path: Path
) -> None:
    """Shaka Packager decrypts every rendition to the pictures and sound of the clear one."""
    package = under[case]
    for rendition in package.presentation.renditions:
        key = package.key(rendition)
        keys = ["--enable_raw_key_decryption", "--keys", f"label=:key_id={key.kid}:key={key.key}"]
        opened = protected.packager(package.whole(rendition.name), tmp_path / "open.mp4", rendition.kind, *keys)
        assert _hashes(opened) == _hashes(clear.whole(rendition.name))


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("scheme", [Scheme.CENC, Scheme.CBCS])
def test_pictures_are_encrypted_as_shaka_packager_does(coding: str, scheme: Scheme, tmp_path: Path) -> None:
    """Under the same key every byte of ciphertext is Shaka Packager's (cbcs), or the same bytes are protected (cenc, to
    which each chooses its own vectors): slice headers of all kinds are measured alike.
    """
    clip = clips.Clip(seconds=3, options=CODINGS[coding], languages=())
    made = workshop.package(clips.make(tmp_path / "clip.mp4", clip), tmp_path / "clear", rungs=())
    source = Protected(made.out, None, made.presentation)
    [rendition] = source.presentation.renditions
    package = repackage(source, tmp_path / "ours", protecting(scheme, [rendition]))
    key = package.key(rendition)
    iv = key.iv if scheme is Scheme.CBCS else "00" * 8
    options = ["--enable_raw_key_encryption", "--protection_scheme", scheme.value, "--clear_lead", "0"]
    options += ["--keys", f"label=:key_id={key.kid}:key={key.key}:iv={iv}"]
    theirs = protected.packager(source.whole(rendition.name), tmp_path / "theirs.mp4", Kind.VIDEO, *options)
    ours = package.whole(rendition.name)
    if scheme is Scheme.CBCS:
        assert protected.media_data(ours) == protected.media_data(theirs)
        assert protected.media_data(ours) != protected.media_data(source.whole(rendition.name))
    else:
        assert protected.subsamples(ours) == protected.subsamples(theirs)


def test_vectors_never_repeat_under_a_key(under: dict[tuple[Scheme, float], Protected]) -> None:
    """Over all renditions that share a key, chunks and segments included, no two samples have the same vector; and the
    same work done again writes the same bytes.
    """
    package = under[Scheme.CENC, 0.0]
    for kind in Kind:
        mine = [r for r in package.presentation.renditions if r.kind is kind]
        ivs = [iv for r in mine for iv in protected.vectors(package.whole(r.name))]
        assert len(ivs) > 100
        assert len(set(ivs)) == len(ivs)


def test_openssl_opens_every_file_of_aes_128(clear: Protected, tmp_path: Path) -> None:
    """Under AES-128 each file decrypts with OpenSSL to the clear one, by the key and vector that its playlist names;
    keys follow each other, and no vector comes twice.
    """
    guard = protecting(Scheme.AES_128, clear.presentation.renditions, keys=2, rotate=2)
    package = repackage(clear, tmp_path / "aes", guard)
    keys = {key.kid: key.key for key in (*guard.video, *guard.audio)}
    plain, seen, used = clear.files(), set(), set()
    for rendition in package.presentation.renditions:
        playlist = m3u8.load(str(package.out / rendition.name / "index.m3u8"))
        named = [(INIT_SEGMENT, playlist.keys[0])] + [(item.uri, item.key) for item in playlist.segments]
        for name, key in named:
            assert key.method == "AES-128"
            kid = key.uri.removeprefix("../key/")
            assert key.iv == f"0x{file_iv(kid, rendition.name, name).hex()}"
            command = ["openssl", "enc", "-d", "-aes-128-cbc", "-K", keys[kid], "-iv", key.iv[2:]]
            coded = (package.out / rendition.name / name).read_bytes()
            opened = subprocess.run(command, input=coded, capture_output=True, check=True).stdout
            assert opened == plain[f"{rendition.name}/{name}"]
            seen.add((kid, key.iv))
            used.add(kid)
        assert len(playlist.segments) == len(rendition.segments)
    assert used == set(keys)
    assert len(seen) == len(plain)


def test_ffmpeg_plays_aes_128_by_the_playlist(clear: Protected, tmp_path: Path) -> None:
    """FFmpeg given nothing but the playlist's address fetches keys, opens header and segments, and reads the same
    samples; with wrong keys it reads nothing.
    """
    guard = protecting(Scheme.AES_128, clear.presentation.renditions, keys=2, rotate=3, lead=2.0)
    package = repackage(clear, tmp_path / "aes", guard)
    name = clear.presentation.video[0].name
    with served(Site({"right": package.out, "wrong": package.out, "clear": clear.out})) as site:
        site.knows(guard)
        right = _played(f"{site.url}/right/{name}/index.m3u8")
        assert right == _played(f"{site.url}/clear/{name}/index.m3u8")
        assert len(right.splitlines()) > 100
        site.knows(guard, wrong=True)
        assert _played(f"{site.url}/wrong/{name}/index.m3u8") != right


def test_protection_changes_and_nothing_else(clear: Protected, tmp_path: Path) -> None:
    """From clear to cenc to cbcs to AES-128 and back to clear, every file is the first one again, and so are facts."""
    renditions = clear.presentation.renditions
    package = clear
    for number, scheme in enumerate((Scheme.CENC, Scheme.CBCS, Scheme.AES_128, Scheme.CBCS, None)):
        guard = protecting(scheme, renditions, keys=3 if scheme is Scheme.AES_128 else 1, rotate=2) if scheme else None
        package = repackage(package, tmp_path / str(number), guard)
        names = [(r.name, [(s.start, s.duration) for s in r.segments]) for r in package.presentation.renditions]
        assert names == [(r.name, [(s.start, s.duration) for s in r.segments]) for r in renditions]
        assert (package.files() == clear.files()) is (scheme is None)
    assert package.presentation == clear.presentation
    for path in (MASTER_PLAYLIST, f"{renditions[0].name}/index.m3u8", "manifest.mpd"):
        assert (package.out / path).read_text() == (clear.out / path).read_text()


@pytest.mark.parametrize("case", COMMON, ids=str)
def test_mp4box_finds_every_sample_s_information(
    case: tuple[Scheme, float], under: dict[tuple[Scheme, float], Protected]
) -> None:
    """A parser of others' finds key id, scheme, pattern and common `pssh`, and in each segment sizes and place of what
    is said about its samples; segments of a clear lead name the clear sample entry.
    """
    package, script = under[case], installed("mp4box") / "boxes.mjs"
    assert package.protecting is not None
    kids = {key.kid for key in (*package.protecting.video, *package.protecting.audio)}
    for rendition in package.presentation.renditions:
        command = [str(NODE), str(script), str(package.whole(rendition.name))]
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        video = rendition.kind is Kind.VIDEO
        assert found["entries"][0] == {
            "kind": "encv" if video else "enca",
            "original": "avc1" if video else "mp4a",
            "scheme": case[0].value,
            "kid": package.key(rendition).kid,
            "ivSize": 8 if case[0] is Scheme.CENC else 0,
            "pattern": [1, 9] if video and case[0] is Scheme.CBCS else [0, 0],
        }
        assert [entry["kind"] for entry in found["entries"][1:]] == (
            ["avc1" if video else "mp4a"] if case[1] else []
        )  # fmt: skip
        [pssh] = found["pssh"]
        assert pssh["system"] == "1077efecc0b24d02ace33c1e52e2fb4b"
        assert set(pssh["kids"]) == kids
        assert len(found["fragments"]) == len(rendition.segments)
        for fragment, segment in zip(found["fragments"], rendition.segments, strict=True):
            clear = segment.start < case[1] * rendition.timescale
            assert fragment["description"] == (2 if clear else 0)
            if clear or (case[0] is Scheme.CBCS and not video):
                assert "senc" not in fragment
            else:
                # Past the box's head, flags and count.
                assert fragment["offset"] == fragment["senc"]["at"] + 16
                assert len(fragment["sizes"]) == fragment["samples"]
                assert sum(fragment["sizes"]) == fragment["senc"]["size"] - 16


def _hashes(path: Path) -> list[str]:
    """The samples' checksums alone: packagers choose time scales of their own."""
    return [line.split(",")[-1].strip() for line in protected.samples(path).splitlines() if not line.startswith("#")]


def _played(url: str) -> str:
    command = [protected.FFMPEG, "-v", "error", "-allowed_extensions", "ALL", "-i", url, "-map", "0"]
    return subprocess.run([*command, "-c", "copy", "-f", "framehash", "-"], capture_output=True, text=True).stdout
