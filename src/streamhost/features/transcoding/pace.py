"""How fast the parts of a package are made, and when all of them will be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streamhost.features.transcoding import stages
from streamhost.features.transcoding.recipe import AUDIO_COST, COPY_COST, PLAN_COST
from streamhost.jobs.pace import Rate
from streamhost.model.clock import Timestamp

COSTS: Mapping[str, float] = {
    stages.COPY: COPY_COST,
    stages.PLAN: PLAN_COST,
    stages.AUDIO: AUDIO_COST,
    stages.CHUNK: 1.0,
}
"""Weight of a second of film, by what is done with it: a rate in weights over this is a speed."""
GROUPS: Mapping[str, str] = {
    stages.COPY: "reading",
    stages.PLAN: "reading",
    stages.AUDIO: "encoding",
    stages.CHUNK: "encoding",
    stages.STORYBOARD: "publishing",
    stages.PUBLISH: "publishing",
}
"""Work that runs side by side shares one pace; different groups come one after another."""
UNKNOWN = "encoding"
"""The group of work that was announced, but of which no part is known yet."""
PUBLISHING = 0.4
"""Weight of publishing, storyboard included, done in a second: it is about the same second everywhere."""
NEGLIGIBLE = 0.02
"""Share of the remaining work whose pace need not be known for an honest estimate."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`speed` in seconds of film a second (1 is real time), `eta` in seconds from now; None while not known."""

    speed: float | None
    eta: float | None


@dataclass(frozen=True, slots=True)
class Left:
    """What there is of a part still: its kind, its weight, and how far it is (0..1)."""

    what: str
    weight: float
    progress: float

    @classmethod
    def of(cls, weights: Iterable[tuple[str, float, float]]) -> list[Left]:
        """What there is of parts of which the catalog knows name, weight and progress."""
        return [cls(stages.parse(name)[0], weight, progress) for name, weight, progress in weights]


class Pace:
    """Watches the parts of one package while they are made in this process."""

    def __init__(self) -> None:
        self._groups: dict[str, Rate] = {}
        self._kinds: dict[str, Rate] = {}
        self._shares: dict[str, float] = {}
        self._newest = ""

    @property
    def idle(self) -> bool:
        """Whether no part runs."""
        return not self._shares

    def begin(self, part: str, now: Timestamp) -> None:
        """A part starts from nothing."""
        self._heard(part, 0.0, now)
        self._shares[part] = 0.0

    def heard(self, part: str, weight: float, share: float, now: Timestamp) -> None:
        """A part is so far (0..1)."""
        before = self._shares.get(part, 0.0)
        self._shares[part] = share
        self._newest = stages.parse(part)[0]
        self._heard(part, max(0.0, share - before) * weight, now)

    def end(self, part: str) -> None:
        """A part is over, however it ended. Time in which nothing runs does not count."""
        self._shares.pop(part, None)
        what = stages.parse(part)[0]
        running = {stages.parse(name)[0] for name in self._shares}
        if what not in running:
            self._kinds.setdefault(what, Rate()).rest()
        if _group(what) not in {_group(name) for name in running}:
            self._groups.setdefault(_group(what), Rate()).rest()

    def estimate(self, parts: Iterable[Left], work: float) -> Estimate:
        """What is known now. `parts` are all parts that are known, `work` the weight of everything there will be."""
        left: dict[str, float] = {}
        known = 0.0
        for part in parts:
            known += part.weight
            left[_group(part.what)] = left.get(_group(part.what), 0.0) + part.weight * (1 - part.progress)
        left[UNKNOWN] = left.get(UNKNOWN, 0.0) + max(0.0, work - known)
        return Estimate(self._speed(), self._eta(left))

    def _heard(self, part: str, work: float, now: Timestamp) -> None:
        what = stages.parse(part)[0]
        self._kinds.setdefault(what, Rate()).add(work, now)
        self._groups.setdefault(_group(what), Rate()).add(work, now)

    def _speed(self) -> float | None:
        running = {stages.parse(name)[0] for name in self._shares}
        what = stages.CHUNK if stages.CHUNK in running else self._newest
        rate = self._kinds[what].value if what in self._kinds else None
        return None if rate is None or what not in COSTS else rate / COSTS[what]

    def _eta(self, left: Mapping[str, float]) -> float | None:
        total = sum(left.values())
        seconds = 0.0
        for group, weight in left.items():
            rate = PUBLISHING if group == "publishing" else None
            if group in self._groups and group != "publishing":
                rate = self._groups[group].value
            if rate is not None:
                seconds += weight / rate
            elif weight > NEGLIGIBLE * total:
                return None
        return seconds


def _group(what: str) -> str:
    return GROUPS.get(what, what)
