"""What keeps a site going, as the API and the command line show it: keys, models, plugins, storage, the recommender."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from streamhost.features.models import Models
from streamhost.features.plugging import PluginState
from streamhost.features.protection import KeyState, Replaced
from streamhost.features.recommendations import Status
from streamhost.features.storekeeping import Checked
from streamhost.ml.registry import Model
from streamhost.model.clock import iso
from streamhost.model.moderation import Aspect
from streamhost.model.objects import Usage


@dataclass(frozen=True, slots=True)
class GrantKeyDocument:
    """A key of grants: since when it is there (null: since the instance was made), and until when it counts (null: no
    end is known). `signs`: it is the newest."""

    id: int
    since: str | None
    until: str | None
    counts: bool
    signs: bool


@dataclass(frozen=True, slots=True)
class WrappingKeyDocument:
    """A key that wraps content keys, how many of them, and of how many packages. `current`: new ones too."""

    id: int
    keys: int
    packages: int
    current: bool


@dataclass(frozen=True, slots=True)
class KeysDocument:
    """The keys of the instance. No secret is among it."""

    grants: Sequence[GrantKeyDocument]
    wrapping: Sequence[WrappingKeyDocument]


@dataclass(frozen=True, slots=True)
class ReplacedDocument:
    """Ids of the keys that sign and wrap from now on, and how many content keys were wrapped anew."""

    grants: int
    wrapping: int
    wrapped: int


def keys_document(state: KeyState) -> KeysDocument:
    """The public form."""
    newest = state.grants[-1].id
    return KeysDocument(
        [
            GrantKeyDocument(
                key.id, iso(key.since) if key.since else None, iso(key.until), key.counts(state.now), key.id == newest
            )
            for key in state.grants
        ],
        [WrappingKeyDocument(one.id, one.keys, one.packages, one.current) for one in state.wrapping],
    )


def replaced_document(replaced: Replaced) -> ReplacedDocument:
    """The public form."""
    return ReplacedDocument(replaced.grants, replaced.wrapping, replaced.wrapped)


@dataclass(frozen=True, slots=True)
class PackageDocument:
    """The package on the index that a model comes in."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class CountDocument:
    """What a label of a model tells, and from which scores on its maker's figures mean something."""

    label: str
    aspect: str
    vote: str
    medium: float
    high: float
    frames: int


@dataclass(frozen=True, slots=True)
class ModelDocument:
    """A model that screens. `state`: `installed`, `not_installed` or `broken` (a file of another size)."""

    id: str
    version: str
    title: str
    state: str
    origin: str
    licence: str
    aspects: Sequence[str]
    size: int
    sha256: str
    path: str
    package: PackageDocument | None
    counts: Sequence[CountDocument]
    weaknesses: Sequence[str]


@dataclass(frozen=True, slots=True)
class ModelsDocument:
    """Every model, what nothing looks for (`not_installed`), and manifests that cannot be used, in words."""

    models: Sequence[ModelDocument]
    not_installed: Sequence[str]
    mistakes: Sequence[str]


def model_document(model: Model) -> ModelDocument:
    """The public form."""
    manifest, source = model.manifest, model.manifest.source
    return ModelDocument(
        id=model.id,
        version=manifest.version,
        title=manifest.title,
        state=model.state().value,
        origin=model.origin.value,
        licence=manifest.licence,
        aspects=[aspect.value for aspect in Aspect if aspect in manifest.aspects],
        size=manifest.size,
        sha256=manifest.sha256,
        path=str(model.path),
        package=PackageDocument(source.package, source.version) if source else None,
        counts=[
            CountDocument(one.label, one.aspect, one.vote, one.medium, one.high, one.frames) for one in manifest.counts
        ],
        weaknesses=manifest.weaknesses,
    )


def models_document(models: Models) -> ModelsDocument:
    """The public form."""
    registry = models.registry
    return ModelsDocument(
        [model_document(model) for model in registry.models()],
        sorted(models.without_model()),
        [error.detail for error in registry.mistakes()],
    )


@dataclass(frozen=True, slots=True)
class VerifiedDocument:
    """Whether a model works: its file has the right hash, and it has looked at something in `milliseconds`. If not, the
    code and the words of what is wrong."""

    id: str
    works: bool
    version: str
    milliseconds: float | None = None
    code: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class PluginSettingDocument:
    """A setting of a plugin: its value as JSON (no secret), where that comes from, and what it may be."""

    key: str
    value: str
    origin: str
    help: str
    allowed: str
    variable: str


@dataclass(frozen=True, slots=True)
class PluginTroubleDocument:
    """Something that went wrong in a plugin lately."""

    hook: str
    at: str | None
    words: str


@dataclass(frozen=True, slots=True)
class PluginDocument:
    """A plugin at work, the hooks that it implements, and what it brings, in words."""

    name: str
    version: str
    package: str
    summary: str
    hooks: Sequence[str]
    brings: Sequence[str]
    settings: Sequence[PluginSettingDocument]
    troubles: Sequence[PluginTroubleDocument]


@dataclass(frozen=True, slots=True)
class PluginsDocument:
    """The plugins at work, and those that the settings leave alone."""

    items: Sequence[PluginDocument]
    disabled: Sequence[str]


def plugin_document(state: PluginState) -> PluginDocument:
    """The public form."""
    found = state.plugin.found
    shown = [
        PluginSettingDocument(one.key, json.dumps(one.value), one.origin, one.help, one.allowed, one.variable)
        for one in state.plugin.shown()
    ]
    troubles = [PluginTroubleDocument(one.hook, iso(one.at), one.words) for one in state.troubles]
    return PluginDocument(
        found.name,
        found.version,
        found.package,
        found.summary,
        list(state.plugin.hooks),
        list(state.brings),
        shown,
        troubles,
    )


@dataclass(frozen=True, slots=True)
class UsageDocument:
    """What is stored of one video, in bytes: the uploaded file, streams, and everything else. The last line may be of
    no video: its `id` is empty."""

    id: str
    title: str
    owner: str
    objects: int
    bytes: int
    source: int
    streams: int
    other: int


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What is stored of every video, the most first, and where new media goes."""

    storage: str
    items: Sequence[UsageDocument]


def usage_document(usage: Usage) -> UsageDocument:
    """The public form."""
    video = usage.video
    return UsageDocument(
        id=video.id if video else "",
        title=video.title if video else "(no video's)",
        owner=video.owner_email if video else "",
        objects=usage.objects,
        bytes=usage.size,
        source=usage.source,
        streams=usage.streams,
        other=usage.other,
    )


@dataclass(frozen=True, slots=True)
class StepDocument:
    """One thing that a storage must do: `ok` is null where it does not matter for these settings."""

    name: str
    ok: bool | None
    detail: str
    hint: str


@dataclass(frozen=True, slots=True)
class CheckDocument:
    """What was tried with the storage that the settings name."""

    storage: str
    steps: Sequence[StepDocument]


def step_document(step: Checked) -> StepDocument:
    """The public form."""
    return StepDocument(step.name, step.ok, step.detail, step.hint)


@dataclass(frozen=True, slots=True)
class TrainedDocument:
    """What the model has learned from: videos in it, viewers, pairs of the two; and seconds that it took."""

    videos: int
    viewers: int
    watched: int
    seconds: float


@dataclass(frozen=True, slots=True)
class GraphDocument:
    """Edges of the watch graph, between videos and between viewers."""

    videos: int
    viewers: int


@dataclass(frozen=True, slots=True)
class RecommenderDocument:
    """The model that proposes videos (null: there is none yet), the watch graph, and where proposals come from.
    `waiting`: videos and viewers whose edges are to be made anew."""

    trained: TrainedDocument | None
    trained_at: str | None
    model_bytes: int
    graph: GraphDocument
    waiting: int
    sources: Sequence[str]


def recommender_document(status: Status) -> RecommenderDocument:
    """The public form."""
    made = status.trained
    return RecommenderDocument(
        trained=TrainedDocument(made.videos, made.viewers, made.watched, made.seconds) if made else None,
        trained_at=iso(status.trained_at),
        model_bytes=status.model_bytes,
        graph=GraphDocument(status.graph.videos, status.graph.viewers),
        waiting=status.waiting,
        sources=list(status.sources),
    )
