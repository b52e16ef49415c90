"""Files made to break a server that opens them: what they are, not what becomes of them. Each is made by a function."""

from __future__ import annotations

import gzip
import io
import random
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.support import ebml
from tests.support.clips import cached
from tests.support.mutants import SEEDS
from tests.support.raw import gif, png, wav, y4m

DEEP = 20_000
"""Levels of nesting; a reader that calls itself for each needs megabytes of stack."""
Maker = Callable[[], bytes]


def seed(name: str) -> bytes:
    """A small good file."""
    return cached(SEEDS[name], Path(name).suffix).read_bytes()


def box(kind: bytes, *parts: bytes, size: int | None = None) -> bytes:
    """A box of ISO/IEC 14496-12, 4.2; ``size`` is what it claims where that is not the truth."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body) if size is None else size, kind) + body


FTYP = box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")


def nested(kind: bytes, depth: int = DEEP) -> bytes:
    """A box in itself, many times."""
    total = 8 * depth
    return b"".join(struct.pack(">I4s", total - 8 * level, kind) for level in range(depth))


def patched(name: str, kind: bytes, offset: int, value: int) -> bytes:
    """A good MP4 in which the number ``offset`` bytes after the name of a box is another."""
    content = bytearray(seed(name))
    place = content.index(kind) + 4 + offset
    content[place : place + 4] = struct.pack(">I", value & 0xFFFFFFFF)
    return bytes(content)


def with_moov_child(child: bytes, name: str = "h264.mp4") -> bytes:
    """A good MP4, its index last, with another box at the end of that index."""
    content = seed(name)
    place = content.index(b"moov") - 4
    [size] = struct.unpack_from(">I", content, place)
    moov = content[place : place + size]
    grown = struct.pack(">I", size + len(child)) + moov[4:] + child
    return content[:place] + grown + content[place + size :]


def many_tracks(count: int) -> bytes:
    """A good MP4 whose track stands there ``count`` times."""
    content = seed("h264.mp4")
    place = content.index(b"trak") - 4
    [size] = struct.unpack_from(">I", content, place)
    return with_moov_child(content[place : place + size] * count)


def external(kind: bytes, target: bytes) -> bytes:
    """A good MP4 that says its pictures are in another file (14496-12, 8.7.2)."""
    references = box(b"dref", b"\0\0\0\0\0\0\0\1", box(kind, b"\0\0\0\0", target))
    return exchanged(seed("h264.mp4"), b"dref", references)


def exchanged(content: bytes, kind: bytes, new: bytes) -> bytes:
    """Boxes in which each of one kind is exchanged for another, the sizes of those around it made right."""
    out, place = [], 0
    while place < len(content):
        size, found = struct.unpack_from(">I4s", content, place)
        body = content[place + 8 : place + size]
        if found == kind:
            out.append(new)
        else:
            inner = exchanged(body, kind, new) if found in (b"moov", b"trak", b"mdia", b"minf", b"dinf") else body
            out.append(box(found, inner))
        place += size
    return b"".join(out)


def reference_movie(target: bytes) -> bytes:
    """A QuickTime file of nothing but the address of another (QuickTime File Format, reference movies)."""
    return FTYP + box(
        b"moov", box(b"rmra", box(b"rmda", box(b"rdrf", b"\0\0\0\0url ", struct.pack(">I", len(target)), target)))
    )


def many_samples(count: int) -> bytes:
    """A good MP4 that claims ``count`` samples of one byte each."""
    content = bytearray(seed("h264.mp4"))
    place = content.index(b"stsz") + 4
    content[place : place + 12] = struct.pack(">III", 0, 1, count)
    place = content.index(b"stts") + 4
    content[place : place + 16] = struct.pack(">IIII", 0, 1, count, 1)
    place = content.index(b"stsc") + 4
    content[place : place + 20] = struct.pack(">IIIII", 0, 1, 1, count, 1)
    return bytes(content)


def mkv_pictures(data: bytes, codec: bytes = b"V_MS/VFW/FOURCC", *parts: bytes, count: int = 5) -> bytes:
    """A Matroska file of one video track with the same data for every picture."""
    blocks = [ebml.block(1, 40 * n, data) for n in range(count)]
    return ebml.file(ebml.element(ebml.TRACKS, ebml.track(1, codec, *parts)), ebml.cluster(0, *blocks))


def zlib_bomb() -> bytes:
    """A Matroska track whose blocks are packed: a quarter of a megabyte each that would be a thousand times as much."""
    packer = zlib.compressobj(9)
    million = bytes(1 << 20)
    packed = b"".join(packer.compress(million) for _ in range(256)) + packer.flush()
    packing = ebml.element(
        ebml.ENCODINGS, ebml.element(ebml.ENCODING, ebml.element(ebml.COMPRESSION, ebml.number(ebml.ALGORITHM, 0)))
    )
    return mkv_pictures(packed, b"V_VP8", packing, count=3)


def subtitle_bomb(cues: int, size: int) -> bytes:
    """A film of a second with a text track of very many, or very long, cues."""
    head = ebml.element(ebml.TRACKS, ebml.track(1, b"V_VP8"), ebml.track(2, b"S_TEXT/UTF8", kind=17))
    text = b"{\\an8}<b>" * (size // 9 + 1)
    clusters = (
        ebml.cluster(1000 * start, *(ebml.block(2, n, text) for n in range(min(1000, cues - 1000 * start))))
        for start in range(-(-cues // 1000))
    )
    return ebml.file(head, *clusters)


def tags(depth: int) -> bytes:
    """A Matroska tag in a tag, many times: claimed sizes only, as deep as one likes."""
    inner = ebml.element(ebml.TAG_NAME, b"A")
    for _ in range(depth):
        inner = ebml.element(ebml.SIMPLE_TAG, inner)
    return ebml.file(
        ebml.element(ebml.TAGS, ebml.element(ebml.TAG, inner)), ebml.element(ebml.TRACKS, ebml.track(1, b"V_VP8"))
    )


def chapters(count: int) -> bytes:
    """Very many chapters."""
    one = [
        ebml.element(
            ebml.CHAPTER, ebml.number(ebml.CHAPTER_UID, n + 1), ebml.number(ebml.CHAPTER_START, n),
            ebml.element(ebml.CHAPTER_DISPLAY, ebml.element(ebml.CHAPTER_TEXT, b"<script>alert(1)</script>" * 10)),
        )
        for n in range(count)
    ]  # fmt: skip
    return _joined_to_film(ebml.element(ebml.CHAPTERS, ebml.element(ebml.EDITION, *one)))


def attachments(count: int, size: int) -> bytes:
    """Very many, or very large, attached files."""
    one = ebml.element(
        ebml.ATTACHED, ebml.element(ebml.FILE_NAME, b"../../etc/passwd"), ebml.element(ebml.FILE_TYPE, b"image/png"),
        ebml.number(0x46AE, 1), ebml.element(ebml.FILE_DATA, bytes(size)),
    )  # fmt: skip
    return _joined_to_film(ebml.element(ebml.ATTACHMENTS, one * count))


def _joined_to_film(part: bytes) -> bytes:
    """A playing film with another element in its segment, in front of what the segment holds."""
    film = seed("vp9.webm")
    place = film.index(bytes.fromhex("18538067"))
    return film[:place] + ebml.SEGMENT.to_bytes(4, "big") + ebml.UNKNOWN + part + film[place + 12 :]


def transport_programs(count: int) -> bytes:
    """A transport stream whose program map names very many tracks (ISO/IEC 13818-1, 2.4.4.8)."""
    packets = [_section(0, b"\x00\xb0\x0d\0\1\xc1\0\0\0\1\xe1\0")]
    for first in range(0, count, 30):
        entries = b"".join(
            struct.pack(">BHH", 0x1B, 0xE000 | (0x200 + n) & 0x1FFF, 0xF000) for n in range(first, first + 30)
        )
        head = b"\0\1\xc1\0\0\xe1\1\xf0\0" + entries
        packets.append(_section(0x100, b"\x02" + struct.pack(">H", 0xB000 | len(head) + 4) + head))
    content = b"".join(packets)
    fill = b"".join(
        b"\x47" + struct.pack(">H", 0x4000 | 0x200 + n % count & 0x1FFF) + b"\x10\0\0\1\xe0\0\0\x80\0\0" + b"\xff" * 175
        for n in range(2 * count)
    )
    return content + fill


def _section(pid: int, section: bytes) -> bytes:
    """A section in a transport packet of its own, its checksum included."""
    crc = 0xFFFFFFFF
    for byte in section:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    body = b"\0" + section + struct.pack(">I", crc)
    return b"\x47" + struct.pack(">H", 0x4000 | pid) + b"\x10" + body + b"\xff" * (184 - len(body))


def pages(count: int) -> bytes:
    """An Ogg song followed by very many pages that belong to nobody (RFC 3533)."""
    page = b"OggS\0\0" + bytes(8) + b"abcd" + bytes(8) + b"\1\1x"
    return seed("song.ogg") + page * count


def archive() -> bytes:
    """A zip file with a film in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("film.mp4", seed("h264.mp4"))
    return packed.getvalue()


def database() -> bytes:
    """A SQLite file."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE films (title TEXT)")
    return connection.serialize()


def noise(length: int = 100_000) -> bytes:
    """Bytes without meaning."""
    return random.Random(1).randbytes(length)


LIST = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{0}\n#EXT-X-ENDLIST\n"
OTHERS: dict[str, Maker] = {
    "empty.mp4": lambda: b"",
    "one byte.mp4": lambda: b"\0",
    "text.mp4": lambda: b"hello\n" * 1000,
    "pdf.mp4": lambda: b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF" * 20,
    "program.mp4": lambda: b"MZ\x90\0\3\0\0\0" + noise(5000),
    "elf.mp4": lambda: b"\x7fELF\2\1\1" + noise(5000),
    "page.mp4": lambda: b"<!DOCTYPE html><html><video src='file:///etc/passwd'></video></html>" * 20,
    "vector.svg": lambda: b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg>&x;</svg>",
    "laughs.xml": lambda: b"<!DOCTYPE a [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]><a>&b;</a>",
    "archive.mp4": archive,
    "packed.mp4": lambda: gzip.compress(bytes(50_000_000)),
    "database.mp4": database,
    "noise.mp4": noise,
    "zeros.ts": lambda: bytes(1_000_000),
    "syncs.ts": lambda: (b"\x47" + bytes(187)) * 20_000,
    "list.mp4": lambda: LIST.format("file:///etc/passwd").encode(),
    "itself.m3u8": lambda: LIST.format("itself.m3u8").encode(),
    "list.ffconcat": lambda: b"ffconcat version 1.0\nfile '/etc/passwd'\nfile 'list.ffconcat'\n",
    "list.mpd": lambda: b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    "call.sdp": lambda: b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "picture.mp4": lambda: png(64, 64),
    "words.srt": lambda: b"1\n00:00:00,000 --> 00:00:02,000\nhello\n\n" * 50_000,
    "words.ass": lambda: b"[Script Info]\n[Events]\n" + b"Dialogue: 0,0:00:00.00,9:59:59.99,,,0,0,0,,x\n" * 50_000,
}  # fmt: skip
"""What is no film at all."""

BOXES: dict[str, Maker] = {
    "only a file type.mp4": lambda: FTYP,
    "an empty index.mp4": lambda: FTYP + box(b"moov"),
    "an index without end.mp4": lambda: FTYP + box(b"moov", size=0),
    "an endless index.mp4": lambda: FTYP + struct.pack(">I4sQ", 1, b"moov", 2**63 - 1) + nested(b"trak", 3),
    "boxes of no size.mp4": lambda: FTYP + box(b"moov", struct.pack(">I4s", 0, b"trak") * 5000),
    "an index in itself.mp4": lambda: FTYP + nested(b"moov"),
    "words in themselves.mp4": lambda: with_moov_child(nested(b"udta")),
    "tracks in themselves.mp4": lambda: with_moov_child(nested(b"trak")),
    "meta in itself.mp4": lambda: with_moov_child(nested(b"meta")),
    "a hundred megabytes of words.mp4": lambda: with_moov_child(box(b"udta", box(b"\xa9nam", bytes(100_000_000)))),
    "two hundred thousand words.mp4": lambda: with_moov_child(
        box(b"udta", *[box(b"\xa9cmt", b"\0\4\0\0abcd")] * 200_000)
    ),
    "two thousand tracks.mp4": lambda: many_tracks(2000),
    "a million samples.mp4": lambda: many_samples(1_000_000),
    "four billion samples.mp4": lambda: many_samples(0xFFFFFFFF),
    "four billion chunks.mp4": lambda: patched("h264.mp4", b"stco", 4, -1),
    "four billion edits.mp4": lambda: patched("h264.mp4", b"elst", 4, -1),
    "four billion offsets.mp4": lambda: patched("h264.mp4", b"ctts", 4, -1),
    "four billion in a run.mp4": lambda: patched("fragments.mp4", b"trun", 4, -1),
    "a clock without ticks.mp4": lambda: patched("h264.mp4", b"mdhd", 12, 0),
    "a clock of one tick.mp4": lambda: patched("h264.mp4", b"mdhd", 12, 1),
    "the fastest clock.mp4": lambda: patched("h264.mp4", b"mdhd", 12, 0x7FFFFFFF),
    "pictures of no length.mp4": lambda: patched("h264.mp4", b"stts", 12, 0),
    "pictures of a day.mp4": lambda: patched("h264.mp4", b"stts", 12, 0x40000000),
    "pictures back in time.mp4": lambda: patched("h264.mp4", b"stts", 12, -512),
    "fragments far away.mp4": lambda: patched("fragments.mp4", b"tfdt", 4, 0x7FFFFFFF),
    "pictures elsewhere.mp4": lambda: external(b"url ", b"file:///etc/passwd\0"),
    "an alias.mp4": lambda: external(b"alis", b"/etc/passwd\0"),
    "a reference.mov": lambda: reference_movie(b"file:///etc/passwd\0"),
    "no index.mp4": lambda: seed("h264.mp4")[: seed("h264.mp4").index(b"moov") - 4],
    "the index alone.mp4": lambda: seed("front.mp4")[: seed("front.mp4").index(b"mdat") + 4],
    "half.mp4": lambda: seed("front.mp4")[: len(seed("front.mp4")) // 2],
}
"""MP4 and QuickTime."""

SIZES: dict[str, Maker] = {
    "65535 square.y4m": lambda: y4m(65535, 65535, "25:1"),
    "65535 square.gif": lambda: gif(65535, 65535),
    "65535 square.mp4": lambda: seed("h264.mp4").replace(struct.pack(">HH", 96, 54), struct.pack(">HH", 65535, 65535)),
    "no size.y4m": lambda: y4m(0, 0, "25:1"),
    "one pixel.y4m": lambda: y4m(1, 1, "25:1"),
    "a line.y4m": lambda: y4m(16384, 2, "25:1"),
    "a column.y4m": lambda: y4m(2, 16384, "25:1"),
    "20000 square.mkv": lambda: ebml.file(
        ebml.element(ebml.TRACKS, ebml.track(1, b"V_VP8", width=20000, height=20000)),
        ebml.cluster(0, ebml.block(1, 0, noise(500))),
    ),
    "60000 square.mkv": lambda: mkv_pictures(png(60000, 60000), b"V_PNG"),
    "30000 square.mkv": lambda: mkv_pictures(png(30000, 30000), b"V_MJPEG"),
    "a picture in a thousand seconds.y4m": lambda: y4m(96, 54, "1:1000"),
    "a hundred thousand a second.y4m": lambda: y4m(96, 54, "100000:1", 2000),
    "no rate.y4m": lambda: y4m(96, 54, "0:0"),
    "a rate without end.y4m": lambda: y4m(96, 54, "1:0"),
    "a hundred thousand pictures.gif": lambda: gif(1, 1, 100_000),
    "no channels.wav": lambda: wav(0, 48_000),
    "65535 channels.wav": lambda: wav(65535, 48_000, 8),
    "no rate.wav": lambda: wav(2, 0),
    "one sample a second.wav": lambda: wav(1, 1),
    "four billion a second.wav": lambda: wav(2, 0xFFFFFFFF),
    "four gigabytes.wav": lambda: wav(2, 48_000, claimed=0xFFFFFFF0),
    "no bits.wav": lambda: wav(2, 48_000, 0),
    "unknown coding.wav": lambda: wav(2, 48_000, 16, kind=0x7F7F),
}
"""Pictures, rates and sound beyond reason."""

OTHER_CONTAINERS: dict[str, Maker] = {
    "packed pictures.mkv": zlib_bomb,
    "tags in tags.mkv": lambda: tags(2000),
    "fifty thousand chapters.webm": lambda: chapters(50_000),
    "attached files.webm": lambda: attachments(3000, 10_000),
    "a large attached file.webm": lambda: attachments(1, 50_000_000),
    "many cues.mkv": lambda: subtitle_bomb(100_000, 40),
    "a long cue.mkv": lambda: subtitle_bomb(2, 20_000_000),
    "a thousand tracks.mkv": lambda: ebml.file(
        ebml.element(
            ebml.TRACKS, *(ebml.track(n + 1, b"V_VP8") for n in range(126)), *[ebml.track(127, b"A_OPUS", kind=2)] * 900
        ),
        ebml.cluster(0, *(ebml.block(n + 1, 0, b"x") for n in range(126))),
    ),
    "the next file.mkv": lambda: ebml.file(
        ebml.element(ebml.TRACKS, ebml.track(1, b"V_VP8")),
        info=ebml.element(ebml.SEGMENT_UID, bytes(16))
        + ebml.element(ebml.NEXT_UID, bytes(16))
        + ebml.element(ebml.NEXT_FILE, b"/etc/passwd"),
    ),
    "an element of 72 petabytes.mkv": lambda: ebml.file(ebml.element(0xEC, size=2**56 - 2), ebml.element(ebml.TRACKS)),
    "a million blocks.mkv": lambda: ebml.file(
        ebml.element(ebml.TRACKS, ebml.track(1, b"V_VP8")), *[ebml.cluster(0, ebml.block(1, 0, b"")) * 1000] * 100
    ),
    "a picture each nanosecond.mkv": lambda: mkv_pictures(b"x" * 50, b"V_VP8", ebml.number(ebml.DEFAULT_DURATION, 1)),
    "three thousand tracks.ts": lambda: transport_programs(3000),
    "pages of nobody.ogg": lambda: pages(100_000),
    "half.webm": lambda: seed("vp9.webm")[: len(seed("vp9.webm")) // 2],
    "half.ts": lambda: seed("h264.ts")[: len(seed("h264.ts")) // 2],
    "half.avi": lambda: seed("mpeg4.avi")[: len(seed("mpeg4.avi")) // 2],
    "half.ogg": lambda: seed("song.ogg")[: len(seed("song.ogg")) // 2],
    "half.flac": lambda: seed("song.flac")[: len(seed("song.flac")) // 2],
    "a large title.mp3": lambda: b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(1_000_000) + seed("song.mp3"),
    "two films.webm": lambda: seed("vp9.webm") * 2,
    "two films.avi": lambda: seed("mpeg4.avi") * 2,
    "two songs.ogg": lambda: seed("song.ogg") * 2,
    "a film and a song.ts": lambda: seed("h264.ts") + seed("mpeg2.ts") + seed("h264.ts"),
}
"""Matroska, transport streams and the rest."""

CORPUS: dict[str, Maker] = {**OTHERS, **BOXES, **SIZES, **OTHER_CONTAINERS}
"""All of them, by the name to upload them under."""
