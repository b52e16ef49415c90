"""What is to be made of one source, decided once and kept with the package. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from streamhost.media import choice, compat, ladder, tasks, wire
from streamhost.media.errors import NoTracks
from streamhost.model.streaming import Kind, MediaInfo, Plan, Rendition, Rung
from streamhost.model.videos import RenditionSummary

COPY_COST = 0.02
"""Work of copying a second of video, where encoding its ladder costs 1."""
PLAN_COST = 0.01
"""Work of reading through a second of video."""
AUDIO_COST = 0.05
"""Work of encoding a second of one audio track."""
LOOK_COST = 0.1
"""Work of decoding a second of small video and looking at it, without encoding anything."""
STORYBOARD_COST = 0.3
"""Work of pasting the storyboard together: a fraction of a second for an hour of video."""
PUBLISH_COST = 0.2
"""Work of writing the manifests: a fraction of a second, whatever the length."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a site's settings say of every video: its ladder, how to encode and cut, what may be copied."""

    ladder: ladder.LadderSettings
    encoding: tasks.Encoding
    copy_limits: compat.CopyLimits


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a source is turned into a package.

    `obstacle` is None when the video track is copied as it is, else the sentence why not. A source without video has no
    `rungs`. `encode_audio` are positions in `info.audio`. `plan` is known once the source has been read through.
    """

    info: MediaInfo
    rungs: tuple[Rung, ...]
    obstacle: str | None
    encode_audio: tuple[int, ...]
    encoding: tasks.Encoding
    plan: Plan | None = None

    @property
    def has_video(self) -> bool:
        """Whether there will be pictures."""
        return self.info.video is not None

    @property
    def copies(self) -> bool:
        """Whether the source's own video track becomes a rendition."""
        return self.has_video and self.obstacle is None

    @property
    def seconds(self) -> float:
        """Length of the source, at least one second so that weights are never zero."""
        return max(1.0, float(self.info.duration))

    @property
    def work(self) -> float:
        """All the work there will be, in the unit of the weights."""
        audio = len(self.encode_audio) * AUDIO_COST * self.seconds
        reading = (COPY_COST if self.copies else PLAN_COST) * self.seconds if self.has_video else 0.0
        pictures = self.seconds * self.chunk_cost + STORYBOARD_COST if self.has_video else 0.0
        return audio + reading + pictures + 2 * PUBLISH_COST

    @property
    def chunk_cost(self) -> float:
        """Work of a second of a chunk: encoding, or looking alone where a copy is all there will be."""
        return 1.0 if self.rungs else LOOK_COST

    def to_json(self) -> str:
        """The recipe as the catalog keeps it."""
        return wire.dumps(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """A recipe out of the catalog."""
        return wire.loads(text, cls)

    def with_obstacle(self, obstacle: str, settings: ladder.LadderSettings) -> Recipe:
        """The recipe when copying turned out to be impossible: the whole ladder is encoded, and every audio track."""
        rungs = ladder.ladder(self.info, settings)
        return replace(self, obstacle=obstacle, rungs=rungs, encode_audio=tuple(range(len(self.info.audio))))


def choose(
    info: MediaInfo, settings: ladder.LadderSettings, encoding: tasks.Encoding, limits: compat.CopyLimits
) -> Recipe:
    """Decide between copying and encoding. Raises `NoTracks` when there is neither picture nor sound."""
    if info.video is None and not info.audio:
        raise NoTracks
    everything = tuple(range(len(info.audio)))
    if info.video is None:
        return Recipe(info, (), None, everything, encoding)
    obstacle = compat.video_obstacle(info, limits)
    if obstacle is not None:
        return Recipe(info, ladder.ladder(info, settings), obstacle, everything, encoding)
    encoded = tuple(i for i, track in enumerate(info.audio) if compat.audio_obstacle(track) is not None)
    return Recipe(info, ladder.lower_rungs(info, settings), None, encoded, encoding)


def rendition_names(recipe: Recipe) -> tuple[str, ...]:
    """Every rendition that the package may have, each at a place of its own for as long as it is made.

    What another encoder than libx264 makes stands at places of its own: where it fails and libx264 makes the same
    rendition anew, nothing is encrypted twice with one vector."""
    video = recipe.info.video
    copied = [ladder.rung_name(video.width, video.height)] if video is not None and recipe.copies else []
    every = (*copied, *(rung.name for rung in recipe.rungs), *ladder.audio_names(recipe.info.audio))
    names = tuple(dict.fromkeys(every))
    if recipe.encoding.encoder == choice.SOFTWARE:
        return names
    return (*(f"{choice.SOFTWARE}:{name}" for name in names), *names)


def planned(recipe: Recipe) -> tuple[RenditionSummary, ...]:
    """The renditions that will be, for lists and pages while they are being made."""
    summaries = [
        RenditionSummary(rung.name, rung.width, rung.height, "avc1", rung.max_rate, ready=False)
        for rung in recipe.rungs
    ]
    video = recipe.info.video
    if video is not None and recipe.copies:
        name = ladder.rung_name(video.width, video.height)
        summaries.insert(0, RenditionSummary(name, video.width, video.height, "avc1", video.bit_rate or 0, ready=False))
    return tuple(summaries)


def summaries(recipe: Recipe, standing: Iterable[Rendition]) -> tuple[RenditionSummary, ...]:
    """What stands, with what is still to come. Sound is listed only where there is no picture."""
    kind = Kind.VIDEO if recipe.has_video else Kind.AUDIO
    found: Mapping[str, RenditionSummary] = {
        r.name: RenditionSummary(r.name, r.width, r.height, r.codecs, r.bandwidth, ready=True)
        for r in standing
        if r.kind is kind
    }
    coming = [item for item in planned(recipe) if item.name not in found]
    return (*found.values(), *coming)
