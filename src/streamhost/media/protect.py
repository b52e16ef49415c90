"""Encrypts the files of one rendition as its package's protection says: the seam between samples and their segments.

What must differ and what must not: under ``cenc`` the eight bytes of a sample's vector are the rendition's place in the
package (16 bits) and a number on its clock (48 bits), so no two samples under a key share one (ISO/IEC 23001-7, 9),
and a job that is done again writes the same bytes. Under ``cbcs`` the vector is constant by design (10.4). Under
AES-128 each file has its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from Crypto.Cipher import AES

from streamhost.media import cenc, cmaf, h264
from streamhost.media.cenc import Range
from streamhost.media.cenc_boxes import (
    MOST_CLEAR,
    Information,
    Subsamples,
    common_pssh,
    protected_entry,
    too_many,
)
from streamhost.media.errors import NotProtectable
from streamhost.media.slices import SLICES, SliceHeaders, Unreadable
from streamhost.model.protection import (
    BLOCK,
    MOST_PLACES,
    ContentKey,
    Protecting,
    RenditionProtection,
    Scheme,
    file_iv,
)
from streamhost.model.streaming import INIT_SEGMENT, Kind, segment_name

TIME_BITS = 48
CLEAR_DESCRIPTION = 2
"""Place of the clear sample entry in a header that has two (14496-12, 8.5.2): the first one is the encrypted one's."""


class Shield:
    """Encrypts one rendition. ``facts`` is what manifests say about it."""

    def __init__(self, protecting: Protecting, name: str, kind: Kind, timescale: int) -> None:
        """Take what is common to the package; ``timescale`` is the rendition's. Raises ``ValueError`` for a name that
        the package does not have.
        """
        self._name = name
        self._video = kind is Kind.VIDEO
        self._keys = protecting.video if self._video else protecting.audio
        self._place = protecting.names.index(name) if protecting.scheme is Scheme.CENC else 0
        # A player that asks once, for what it meets first, has the other kind's key with it.
        self._kids = tuple(dict.fromkeys(key.kid for key in (*self._keys, *protecting.video, *protecting.audio)))
        self._sets: h264.ParameterSets | None = None
        self._headers: SliceHeaders | None = None
        self._obstacle = "The pictures come before their parameters."
        self.facts = RenditionProtection(
            scheme=protecting.scheme,
            kids=tuple(key.kid for key in self._keys),
            iv=self._keys[0].iv if protecting.scheme is Scheme.CBCS else None,
            rotate_every=0 if protecting.scheme.common else protecting.rotate_every,
            clear_until=round(protecting.clear_lead * timescale),
            pssh=protecting.pssh if protecting.scheme.common else (),
        )

    def learn(self, sets: h264.ParameterSets) -> None:
        """Hear of the parameter sets of the pictures that follow."""
        if sets == self._sets:
            return
        self._sets = sets
        try:
            self._headers = SliceHeaders(sets)
        except Unreadable as why:
            self._obstacle = str(why)

    def header(self, header: cmaf.Header) -> bytes:
        """Return the CMAF header for encrypted samples; as a file of AES-128 it is encrypted itself."""
        facts = self.facts
        if not facts.scheme.common:
            return self._whole([header.to_bytes()], self._key(0), INIT_SEGMENT)
        return replace(
            header,
            sample_entry=protected_entry(header.sample_entry, facts, video=self._video),
            clear_entry=header.sample_entry if facts.clear_until else None,
            pssh=common_pssh(self._kids) + b"".join(map(bytes.fromhex, facts.pssh)),
        ).to_bytes()

    def segment(self, samples: cmaf.Samples, sequence: int, start: int) -> Sequence[bytes | bytearray]:
        """Return a media segment as ``cmaf.segment`` does, encrypted. Raises ``NotProtectable``."""
        facts = self.facts
        clear = facts.is_clear(start)
        if not facts.scheme.common:
            parts = cmaf.segment(samples, sequence, start)
            return parts if clear else [self._whole(parts, self._key(sequence - 1), segment_name(start))]
        if clear:
            return cmaf.segment(samples, sequence, start, description=CLEAR_DESCRIPTION)
        subsamples = self._subsamples(samples.data)
        information = Information(self._ivs(start, len(samples.data)), subsamples)
        data = bytearray().join(samples.data)
        self._encrypt(data, list(ranges(map(len, samples.data), subsamples)), start, len(samples.data))
        moof = cmaf.segment(samples, sequence, start, more=information)[0]
        return [moof, data]

    def _encrypt(self, data: bytearray, parts: list[Range], start: int, count: int) -> None:
        key = bytes.fromhex(self._keys[0].key)
        if self.facts.scheme is Scheme.CENC:
            cenc.ctr(data, parts, key, self._numbers(start, count))
        else:
            cenc.cbc_encrypt(data, parts, key, bytes.fromhex(self.facts.iv or ""), pattern=self._video)

    def _key(self, number: int) -> ContentKey:
        kid = self.facts.kid(number)
        return next(key for key in self._keys if key.kid == kid)

    def _whole(self, parts: list[bytes], key: ContentKey, name: str) -> bytes:
        """Encrypt a file (RFC 8216, 4.3.2.4): AES-128-CBC over all of it and PKCS #7 padding."""
        data = b"".join(parts)
        short = BLOCK - len(data) % BLOCK
        iv = file_iv(key.kid, self._name, name)
        return AES.new(bytes.fromhex(key.key), AES.MODE_CBC, iv=iv).encrypt(data + bytes([short]) * short)

    def _numbers(self, start: int, count: int) -> cenc.Vectors:
        """Each sample's vector as a number. A segment has at most as many samples as ticks: vectors counted upwards
        where it starts never meet those of the next one."""
        if self._place >= MOST_PLACES or start + count >= 1 << TIME_BITS:
            raise NotProtectable("The video is too long for its samples to be told apart.")
        return (self._place << TIME_BITS) + start + np.arange(count, dtype=np.uint64)

    def _ivs(self, start: int, count: int) -> list[bytes] | None:
        if self.facts.scheme is not Scheme.CENC:
            return None
        data = self._numbers(start, count).astype(">u8").tobytes()
        return [data[at : at + 8] for at in range(0, len(data), 8)]

    def _subsamples(self, samples: list[bytes]) -> list[Subsamples]:
        if not self._video:
            return [()] * len(samples)
        if self._headers is None:
            raise NotProtectable(self._obstacle)
        aligned = self.facts.scheme is Scheme.CENC
        try:
            found = [subsamples(sample, self._headers, aligned=aligned) for sample in samples]
        except Unreadable as why:
            raise NotProtectable(str(why)) from why
        if any(map(too_many, found)):
            raise NotProtectable("A picture has more slices than encryption can tell apart.")
        return found


def shield(protecting: Protecting | None, name: str, kind: Kind, timescale: int) -> Shield | None:
    """Return what encrypts a rendition; ``None`` where it stays clear."""
    return Shield(protecting, name, kind, timescale) if protecting else None


def subsamples(sample: bytes, headers: SliceHeaders, *, aligned: bool) -> Subsamples:
    """Divide a sample of H.264 into clear and protected bytes (23001-7, 9.5): slice data is protected, all else is
    clear.

    ``aligned`` is for ``cenc``: protected bytes are whole blocks, what is over joins the clear ones after. Raises
    ``Unreadable``.
    """
    parts: list[tuple[int, int]] = []
    clear = at = 0
    while at < len(sample):
        size = int.from_bytes(sample[at : at + h264.LENGTH_SIZE], "big")
        nal = sample[at + h264.LENGTH_SIZE : at + h264.LENGTH_SIZE + size]
        if size == 0 or len(nal) < size:
            raise Unreadable("A NAL unit does not fit its sample.")
        at += h264.LENGTH_SIZE + size
        clear += h264.LENGTH_SIZE + size
        if nal[0] & 0x1F not in SLICES:
            continue
        data = size - headers.size(nal)
        protected = data - data % BLOCK if aligned or data < BLOCK else data
        if protected:
            clear -= data
            while clear > MOST_CLEAR:
                parts.append((MOST_CLEAR, 0))
                clear -= MOST_CLEAR
            parts.append((clear, protected))
            clear = data - protected
    while clear:
        parts.append((min(clear, MOST_CLEAR), 0))
        clear -= parts[-1][0]
    return tuple(parts)


def ranges(sizes: Iterable[int], divided: list[Subsamples]) -> Iterable[Range]:
    """Yield the protected bytes of samples of these ``sizes`` that stand one after another."""
    offset = 0
    for number, (size, parts) in enumerate(zip(sizes, divided, strict=True)):
        at = offset
        for clear, protected in parts:
            if protected:
                yield Range(at + clear, protected, number)
            at += clear + protected
        if not parts:
            yield Range(offset, size, number)
        offset += size
