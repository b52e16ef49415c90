"""Which policy holds: the profile that was set or chosen, with the lines of the models that are known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from streamhost.config import ModerationSettings
from streamhost.db import audit as audit_rows
from streamhost.db import review_cases as rows
from streamhost.db.core import Connection, Database
from streamhost.features.moderation.errors import ProfileFixed
from streamhost.ml.manifest import Manifest
from streamhost.model.accounts import Role
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.clock import Clock
from streamhost.model.moderation import OF_TEXTS, Aspect
from streamhost.model.verdicts import DEFAULT_LINES, Lines, Policy, Profile, Publish

CHOICE = "profile"
"""The name under which the catalog keeps what was chosen."""
PUBLIC_MEDIUM = 0.35
"""On a public site a person looks at what models are less sure of: of 600 harmless frames both models for nudity took
seven for that (docs/explanation/moderation.md)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a profile stands for."""

    trusted: Role
    publish: Publish = Publish.SCREEN_FIRST
    most_medium: float = 1.0
    """Medium lines that are higher are lowered to this."""


PROFILES: Mapping[Profile, Terms] = {
    Profile.PRIVATE_HOME: Terms(Role.CREATOR),
    Profile.COMMUNITY: Terms(Role.MODERATOR),
    Profile.PUBLIC: Terms(Role.ADMIN, most_medium=PUBLIC_MEDIUM),
}


class Policies:
    """Puts the policy together, anew each time: models come and go, and the profile can be chosen while it runs."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        settings: ModerationSettings,
        manifests: Callable[[], Sequence[Manifest]],
        without_model: Callable[[], Collection[Aspect]],
    ) -> None:
        """`manifests`: of every model that is known, installed or not; `without_model`: what none that is installed
        looks for."""
        self._db = db
        self._clock = clock
        self._settings = settings
        self._manifests = manifests
        self._without_model = without_model

    @property
    def fixed(self) -> bool:
        """Whether the settings say which profile it is, so that nobody can choose another."""
        return bool(self._settings.profile)

    async def current(self, conn: Connection) -> Policy:
        """The policy that holds now."""
        chosen = self._settings.profile or await rows.chosen(conn, CHOICE) or Profile.PRIVATE_HOME
        return policy_of(Profile(chosen), self._settings, self._manifests())

    async def get(self) -> Policy:
        """The policy that holds now, for whoever has no connection at hand."""
        async with self._db.read() as conn:
            return await self.current(conn)

    def without_model(self) -> list[str]:
        """What nobody can look for at the moment, by name: no model for it is installed."""
        return sorted(self._without_model())

    def would_be(self, profile: Profile) -> Policy:
        """The policy that another profile would bring."""
        return policy_of(profile, self._settings, self._manifests())

    async def choose(self, profile: Profile, by: Actor) -> Policy:
        """Choose the profile of the site. What was decided before stays, until videos are looked at anew.

        Raises `ProfileFixed`."""
        if self.fixed:
            raise ProfileFixed
        async with self._db.write() as conn:
            await rows.choose(conn, CHOICE, profile.value)
            entry = AuditEntry(self._clock(), Act.PROFILE_CHOSEN, by, details={"profile": profile.value})
            await audit_rows.insert(conn, entry)
            return await self.current(conn)


def policy_of(profile: Profile, settings: ModerationSettings, manifests: Iterable[Manifest]) -> Policy:
    """A profile with what the settings say otherwise, and the lines of models. Pure."""
    terms = PROFILES[profile]
    lines = {aspect: _lowered(line, terms.most_medium) for aspect, line in lines_of(manifests).items()}
    for text in settings.lines:
        name, medium, high = text.split(":")
        before = lines[Aspect(name)]
        lines[Aspect(name)] = Lines(float(medium), max(float(medium), float(high)), before.frames)
    trusted: Role | None = terms.trusted
    if settings.trusted != "profile":
        trusted = None if settings.trusted == "nobody" else Role(settings.trusted)
    publish = terms.publish if settings.publish == "profile" else Publish(settings.publish)
    return Policy(profile, lines, trusted, publish, frozenset(Aspect(name) for name in settings.not_screened))


def lines_of(manifests: Iterable[Manifest]) -> dict[Aspect, Lines]:
    """Lines for every aspect: where several models look for one, the lower medium, the higher high, the more frames."""
    found: dict[Aspect, Lines] = {}
    for count in (count for manifest in manifests for count in manifest.counts):
        frames = 1 if count.aspect in OF_TEXTS else count.frames
        other = found.get(count.aspect, Lines(count.medium, count.high, frames))
        found[count.aspect] = Lines(
            min(count.medium, other.medium), max(count.high, other.high), max(frames, other.frames)
        )
    return {aspect: found.get(aspect, DEFAULT_LINES) for aspect in Aspect}


def _lowered(lines: Lines, most_medium: float) -> Lines:
    return Lines(min(lines.medium, most_medium), lines.high, lines.frames)
