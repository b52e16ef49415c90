"""What is encrypted of a picture, what stays clear, and what cannot be encrypted at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.media import boxes, h264, tasks
from streamhost.media.cenc_boxes import too_many
from streamhost.media.errors import DamagedPackage, NotProtectable
from streamhost.media.execute import execute
from streamhost.media.protect import Shield, subsamples
from streamhost.media.slices import Bits, SliceHeaders, Unreadable
from streamhost.media.unpack import Unpacker, parameter_sets
from streamhost.model.protection import ContentKey, Protecting, Scheme
from streamhost.model.streaming import INIT_SEGMENT, Kind, segment_name
from streamhost.testing import clips
from tests.support.protected import Protected, protecting, repackage
from tests.unit.media import workshop

KEY = ContentKey("11" * 16, "22" * 16, "33" * 16)


@pytest.fixture(scope="module")
def plain(copied: workshop.Package) -> Protected:
    """Twelve seconds, copied, with lower rungs in chunks; nothing encrypted."""
    return Protected(copied.out, None, copied.presentation)


def headers(package: Protected) -> tuple[SliceHeaders, list[bytes]]:
    """A reader for the slices of the best rendition, and the samples of its first segment."""
    best = package.presentation.video[0]
    source = Unpacker(package.out / best.name, best, None)
    sets = parameter_sets(source.header())
    assert sets is not None
    return SliceHeaders(sets), source.segment(0).samples.data


def test_slice_data_is_protected_and_nothing_else(plain: Protected) -> None:
    """Parts add up to the sample; what is protected are whole blocks right after a slice's header, to its end but for
    what makes no block.
    """
    reader, samples = headers(plain)
    for sample in samples:
        parts = subsamples(sample, reader, aligned=True)
        assert sum(map(sum, parts)) == len(sample)
        assert all(protected % 16 == 0 for _, protected in parts)
        whole = subsamples(sample, reader, aligned=False)
        assert sum(map(sum, whole)) == len(sample)
        assert 0 <= sum(p for _, p in whole) - sum(p for _, p in parts) < 16 * len(whole)
        slices = [nal for nal in h264.split_sized(sample, 4) if h264.kind_of(nal) in (1, 5)]
        assert sum(p for _, p in whole) == sum(
            len(nal) - reader.size(nal) for nal in slices if len(nal) - reader.size(nal) >= 16
        )


def test_much_that_is_clear_takes_several_entries(plain: Protected) -> None:
    """An entry says at most 65,535 clear bytes; a longer message before the picture goes into further ones."""
    reader, samples = headers(plain)
    message = bytes([6]) + bytes(150_000)
    sample = h264.join_sized([message]) + samples[0]
    parts = subsamples(sample, reader, aligned=True)
    assert [part for part in parts if part[0] == 0xFFFF] == [(0xFFFF, 0)] * 2
    assert sum(map(sum, parts)) == len(sample)
    after = subsamples(samples[0] + h264.join_sized([message]), reader, aligned=True)
    assert all(clear <= 0xFFFF for clear, _ in after)
    assert sum(map(sum, after)) == len(sample)


def test_a_sample_that_is_cut_off_is_refused(plain: Protected) -> None:
    """Lengths that do not fit the sample are no guess at where slices are."""
    reader, samples = headers(plain)
    for broken in (samples[0][:-1], samples[0] + b"\0", b"\0\0\0\0" + samples[0]):
        with pytest.raises(Unreadable):
            subsamples(broken, reader, aligned=True)


def test_a_slice_that_ends_in_its_header_is_refused(plain: Protected) -> None:
    """A slice of one byte has no header that could be measured; one of unknown parameters neither."""
    reader, samples = headers(plain)
    picture = next(nal for nal in h264.split_sized(samples[0], 4) if h264.kind_of(nal) == h264.NAL_IDR)
    for broken in (picture[:1], picture[:2], bytes([picture[0]]) + b"\x80\x10\x08" + picture[4:]):
        with pytest.raises(Unreadable):
            reader.size(broken)


@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=20))
def test_numbers_are_read_as_they_were_coded(numbers: list[int]) -> None:
    """Exp-Golomb numbers (H.264, 9.1) one after another come back, and past the last one there is none."""
    text = "".join(f"{number + 1:b}".rjust(2 * (number + 1).bit_length() - 1, "0") for number in numbers)
    text += "0" * (-len(text) % 8)
    bits = Bits(int(text, 2).to_bytes(len(text) // 8, "big"))
    assert [bits.ue() for _ in numbers] == numbers
    skipping = Bits(int(text, 2).to_bytes(len(text) // 8, "big"))
    skipping.skip(len(numbers))
    assert skipping.at == bits.at
    with pytest.raises(Unreadable):
        bits.ue()


def test_what_has_more_slices_than_can_be_told_is_encoded_instead(tmp_path: Path) -> None:
    """Under Common Encryption such a source is not copied, with a sentence that says why, and leaves nothing behind;
    under AES-128, which looks into no picture, it is.
    """
    options = (("preset", "ultrafast"), ("x264-params", "slice-max-mbs=2"))
    source = clips.make(tmp_path / "a.mp4", clips.Clip(seconds=2, options=options, languages=()))
    info = workshop.probe(source)
    for scheme, copies in ((Scheme.CENC, False), (Scheme.CBCS, False), (Scheme.AES_128, True)):
        out = tmp_path / scheme
        out.mkdir()
        guard = Protecting(scheme, (KEY,), (KEY,), ("v180",))
        answer = execute(tasks.CopyTracks(str(source), str(out), info, protecting=guard))
        assert isinstance(answer, tasks.Copied)
        assert (answer.obstacle is None) is copies
        if not copies:
            assert "slices" in (answer.obstacle or "")
            assert [path for path in out.rglob("*") if path.is_file()] == []


def test_forty_slices_can_be_told() -> None:
    """What `saiz` says in eight bits holds forty entries and no more."""
    assert not too_many(((1, 16),) * 40)
    assert too_many(((1, 16),) * 41)


def test_pictures_without_parameters_are_refused() -> None:
    """Before the parameter sets are known, and with ones that are unreadable, nothing is written half encrypted."""
    shield = Shield(Protecting(Scheme.CBCS, (KEY,), (KEY,)), "v180", Kind.VIDEO, 12800)
    with pytest.raises(NotProtectable, match="parameters"):
        shield._subsamples([b"\0\0\0\1\x65"])
    shield.learn(h264.ParameterSets((b"\x67\x64\x00",), (b"\x68",)))
    with pytest.raises(NotProtectable, match="header"):
        shield._subsamples([b"\0\0\0\1\x65"])


def test_a_rendition_without_a_place_is_refused() -> None:
    """No vector is made up for a name that the package does not have: it could be another's."""
    with pytest.raises(ValueError, match="not in tuple"):
        Shield(Protecting(Scheme.CENC, (KEY,), (KEY,), ("v180",)), "v90", Kind.VIDEO, 12800)


@pytest.mark.parametrize("scheme", Scheme)
def test_the_same_work_gives_the_same_bytes(scheme: Scheme, plain: Protected, tmp_path: Path) -> None:
    """A job that was killed and is done again writes what it wrote; with other keys nothing is alike."""
    guard = protecting(scheme, plain.presentation.renditions)
    once, again = (repackage(plain, tmp_path / name, guard) for name in ("once", "again"))
    other = repackage(plain, tmp_path / "other", protecting(scheme, plain.presentation.renditions))
    assert once.files() == again.files()
    assert [name for name, data in other.files().items() if once.files()[name] == data] == []


@pytest.mark.parametrize("scheme", Scheme)
def test_wrong_keys_repackage_nothing(scheme: Scheme, plain: Protected, tmp_path: Path) -> None:
    """Keys of another package are an error before anything is written, and so are none."""
    package = repackage(plain, tmp_path / "one", protecting(scheme, plain.presentation.renditions))
    (tmp_path / "out").mkdir()
    for keys in (protecting(scheme, plain.presentation.renditions), None):
        order = tasks.Repackage(str(package.out), str(tmp_path / "out"), package.presentation.renditions, keys)
        with pytest.raises(DamagedPackage, match="keys"):
            execute(order)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_damaged_package_is_said_to_be_one(plain: Protected, tmp_path: Path) -> None:
    """A segment that is missing, cut off or not ours, and a file that its key does not open, name the file."""
    guard = protecting(Scheme.AES_128, plain.presentation.renditions)
    package = repackage(plain, tmp_path / "one", guard)
    rendition = package.presentation.renditions[0]
    name = segment_name(rendition.segments[1].start)
    path = package.out / rendition.name / name
    whole = path.read_bytes()
    clear = (plain.out / rendition.name / name).read_bytes()
    for data, under, found in (
        (None, guard, package),
        (whole[:-16], guard, package),
        (whole[16:], guard, package),
        (clear[:-1], None, plain),
        (b"", None, plain),
    ):
        folder = tmp_path / "damaged" / rendition.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).unlink(missing_ok=True)
        if data is not None:
            (folder / name).write_bytes(data)
        facts = rendition if found is package else replace(rendition, protection=None)
        with pytest.raises(DamagedPackage, match=name):
            Unpacker(folder, facts, under).segment(1)


def test_further_systems_stand_beside_the_common_one(plain: Protected, tmp_path: Path) -> None:
    """Boxes of other key systems go into every header under Common Encryption as they were given, and are facts of the
    rendition; whole files have no place for them.
    """
    box = boxes.full_box(b"pssh", 0, 0, bytes(range(16)), b"\0\0\0\4data")
    for scheme in Scheme:
        guard = replace(protecting(scheme, plain.presentation.renditions), pssh=(box.hex(),))
        package = repackage(plain, tmp_path / scheme, guard)
        for rendition in package.presentation.renditions:
            facts = rendition.protection
            assert facts is not None
            assert facts.pssh == ((box.hex(),) if scheme.common else ())
            data = (package.out / rendition.name / INIT_SEGMENT).read_bytes()
            found = list(boxes.walk(data, (b"moov", b"pssh")))
            assert found[1:] == ([box[8:]] if scheme.common else [])
