"""How long the header of an H.264 slice is (ITU-T H.264, 7.3.3): what encryption must leave readable.

Bits are read as text of ``0`` and ``1``: Python searches and converts such slices faster than it shifts numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamhost.media import h264

NAL_SLICE = 1
SLICES = frozenset({NAL_SLICE, h264.NAL_IDR})
"""NAL units that hold coded slices; partitioned ones (2 to 4) stand in no profile that is packaged."""
HEAD = 64
"""Bytes that hold the header of all but the rarest slices."""
EMULATION = b"\0\0\3"
P, B, I, SP, SI = range(5)  # noqa: E741 -- the names of table 7-6
CHROMA_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
"""Profiles whose SPS says the chroma format (7.3.2.1.1)."""
CHROMA_444 = 3
BIPRED_EXPLICIT = 1
LIST_MODIFICATION_END = 3


class Unreadable(Exception):
    """Not an error by itself: the finding that a header is not what this module knows. Carries the sentence why."""


class Bits:
    """Reads the bits of an RBSP in order (7.2, 9.1). Raises ``Unreadable`` past its end."""

    __slots__ = ("at", "text")

    def __init__(self, payload: bytes) -> None:
        self.text = bin(int.from_bytes(b"\1" + payload, "big"))[3:]
        self.at = 0

    def u(self, count: int) -> int:
        """``u(n)``: an unsigned number of ``count`` bits."""
        end = self.at + count
        if end > len(self.text):
            raise Unreadable("A header ends too early.")
        value = int(self.text[self.at : end] or "0", 2)
        self.at = end
        return value

    def ue(self) -> int:
        """``ue(v)``: an unsigned Exp-Golomb number."""
        one = self.text.find("1", self.at)
        end = 2 * one - self.at + 1
        if one < 0 or end > len(self.text):
            raise Unreadable("A header ends too early.")
        value = int(self.text[one:end], 2) - 1
        self.at = end
        return value

    def skip(self, count: int = 1) -> None:
        """Pass over ``count`` Exp-Golomb numbers, signed or not: both are coded alike."""
        for _ in range(count):
            one = self.text.find("1", self.at)
            if one < 0:
                raise Unreadable("A header ends too early.")
            self.at = 2 * one - self.at + 1


@dataclass(frozen=True, slots=True)
class Sequence:
    """What of a sequence parameter set (7.3.2.1.1) shapes slice headers."""

    chroma_array: int
    separate_planes: bool
    frame_num_bits: int
    order_type: int
    order_bits: int
    delta_always_zero: bool
    frames_only: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """What of a picture parameter set (7.3.2.2) shapes slice headers, with the sequence's."""

    sequence: Sequence
    cabac: bool
    bottom_order: bool
    references: tuple[int, int]
    weighted: bool
    bipred: int
    deblocking: bool
    redundant: bool


class SliceHeaders:
    """Measures slice headers under one set of parameter sets."""

    def __init__(self, sets: h264.ParameterSets) -> None:
        """Read the parameter sets. Raises ``Unreadable``."""
        sequences = dict(map(_sequence, sets.sps))
        self._pictures = dict(_picture(nal, sequences) for nal in sets.pps)

    def size(self, nal: bytes) -> int:
        """Return the bytes of the NAL unit up to the end of its slice header, rounded up. Raises ``Unreadable``.

        ``nal`` starts with its one-byte header and may be cut after ``HEAD`` bytes or more.
        """
        for head in (nal[:HEAD], nal):
            escaped = EMULATION in head
            bits = Bits((head.replace(EMULATION, b"\0\0") if escaped else head)[1:])
            try:
                self._pass(bits, idr=nal[0] & 0x1F == h264.NAL_IDR, reference=nal[0] & 0x60 != 0)
            except Unreadable:
                if len(head) == len(nal):
                    raise
                continue
            if bits.at <= len(bits.text):
                size = 1 + (bits.at + 7) // 8
                return _escaped_size(head, size) if escaped else size
        raise Unreadable("A slice ends within its header.")

    def _pass(self, bits: Bits, *, idr: bool, reference: bool) -> None:
        bits.skip()
        kind = bits.ue() % 5
        picture = self._pictures.get(bits.ue())
        if picture is None:
            raise Unreadable("A slice names a parameter set that the header does not have.")
        sequence = picture.sequence
        bits.at += 2 * sequence.separate_planes + sequence.frame_num_bits
        field = not sequence.frames_only and bits.u(1) == 1
        bits.at += field
        if idr:
            bits.skip()
        bottom = picture.bottom_order and not field
        if sequence.order_type == 0:
            bits.at += sequence.order_bits
            bits.skip(bottom)
        elif sequence.order_type == 1 and not sequence.delta_always_zero:
            bits.skip(1 + bottom)
        bits.skip(picture.redundant)
        if kind == B:
            bits.at += 1
        if kind in (P, SP, B):
            counts = _references(bits, picture, kind)
            for _ in counts:
                _pass_modification(bits)
            if picture.weighted if kind != B else picture.bipred == BIPRED_EXPLICIT:
                _pass_weights(bits, counts, chroma=sequence.chroma_array != 0)
        if reference:
            _pass_marking(bits, idr=idr)
        if picture.cabac and kind not in (I, SI):
            bits.skip()
        bits.skip()
        if kind in (SP, SI):
            bits.at += kind == SP
            bits.skip()
        if picture.deblocking and bits.ue() != 1:
            bits.skip(2)


def _references(bits: Bits, picture: Picture, kind: int) -> tuple[int, ...]:
    """Return how many references each list has: the picture parameter set's numbers, or the slice's own (7.4.3)."""
    first, second = picture.references
    if bits.u(1):
        first = bits.ue() + 1
        second = bits.ue() + 1 if kind == B else 0
    if max(first, second) > 32:
        raise Unreadable("A slice has more references than there can be.")
    return (first, second) if kind == B else (first,)


def _pass_modification(bits: Bits) -> None:
    """Pass over one list of ``ref_pic_list_modification`` (7.3.3.1)."""
    if not bits.u(1):
        return
    while bits.ue() != LIST_MODIFICATION_END:
        bits.skip()


def _pass_weights(bits: Bits, counts: tuple[int, ...], *, chroma: bool) -> None:
    """Pass over ``pred_weight_table`` (7.3.3.2)."""
    bits.skip(1 + chroma)
    for count in counts:
        for _ in range(count):
            if bits.u(1):
                bits.skip(2)
            if chroma and bits.u(1):
                bits.skip(4)


def _pass_marking(bits: Bits, *, idr: bool) -> None:
    """Pass over ``dec_ref_pic_marking`` (7.3.3.3)."""
    if idr:
        bits.at += 2
    elif bits.u(1):
        while operation := bits.ue():
            bits.skip({3: 2, 5: 0}.get(operation, 1))


def _sequence(nal: bytes) -> tuple[int, Sequence]:
    bits = Bits(nal.replace(EMULATION, b"\0\0")[1:])
    profile = bits.u(8)
    bits.at += 16
    number = bits.ue()
    chroma, separate = 1, False
    if profile in CHROMA_PROFILES:
        chroma = bits.ue()
        separate = chroma == CHROMA_444 and bits.u(1) == 1
        bits.skip(2)
        bits.at += 1
        if bits.u(1):
            for place in range(12 if chroma == CHROMA_444 else 8):
                if bits.u(1):
                    _pass_scaling(bits, 16 if place < 6 else 64)
    frame_num_bits = bits.ue() + 4
    order_type = bits.ue()
    order_bits, always_zero = 0, False
    if order_type == 0:
        order_bits = bits.ue() + 4
    elif order_type == 1:
        always_zero = bits.u(1) == 1
        bits.skip(2)
        bits.skip(bits.ue())
    bits.skip()
    bits.at += 1
    bits.skip(2)
    chroma_array = 0 if separate else chroma
    return number, Sequence(
        chroma_array, separate, frame_num_bits, order_type, order_bits, always_zero, bits.u(1) == 1
    )  # fmt: skip


def _pass_scaling(bits: Bits, size: int) -> None:
    """Pass over ``scaling_list`` (7.3.2.1.1.1)."""
    last = following = 8
    for _ in range(size):
        if following:
            coded = bits.ue()
            delta = (coded + 1) // 2 if coded & 1 else -(coded // 2)
            following = (last + delta) % 256
        last = following or last


def _picture(nal: bytes, sequences: dict[int, Sequence]) -> tuple[int, Picture]:
    bits = Bits(nal.replace(EMULATION, b"\0\0")[1:])
    number = bits.ue()
    sequence = sequences.get(bits.ue())
    if sequence is None:
        raise Unreadable("A picture parameter set names a sequence that is not there.")
    cabac, bottom_order = bits.u(1) == 1, bits.u(1) == 1
    if bits.ue():
        raise Unreadable("The pictures are cut into slice groups.")
    references = (bits.ue() + 1, bits.ue() + 1)
    weighted, bipred = bits.u(1) == 1, bits.u(2)
    bits.skip(3)
    deblocking = bits.u(1) == 1
    bits.at += 1
    return number, Picture(
        sequence, cabac, bottom_order, references, weighted, bipred, deblocking, bits.u(1) == 1
    )  # fmt: skip


def _escaped_size(nal: bytes, size: int) -> int:
    """Return how many bytes of the NAL unit as coded make ``size`` bytes without its emulation prevention (7.4.1)."""
    at = -1
    while (at := nal.find(EMULATION, at + 1)) >= 0 and at + 2 < size:
        size += 1
    return size
