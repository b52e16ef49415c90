"""Builds the CDN that the settings name. A part of `host.py`, and like it imported by nothing below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streamhost.cdn.asking import Asking
from streamhost.cdn.caching import PullCdn, Purging, SecureLinkCdn
from streamhost.cdn.origin import OriginCdn
from streamhost.config import InvalidSettings, Settings, perhaps
from streamhost.config.agreement import ORIGIN, PULL, SECURE_LINK
from streamhost.features.cdn import Addresses, Copies
from streamhost.host_basis import Basis
from streamhost.instance import Purpose
from streamhost.jobs.announcing import Announcing
from streamhost.jobs.worker import Handler
from streamhost.model.cdn import Way
from streamhost.model.clock import MINUTE, Clock
from streamhost.model.grants import Grants
from streamhost.model.tasks import PurgeCopies, PushCopies, Task
from streamhost.model.tickets import Tickets
from streamhost.ports import Cdn, Storage


@dataclass(frozen=True, slots=True)
class Delivery:
    """From where players get media, and what is kept elsewhere."""

    tickets: Tickets
    addresses: Addresses
    copies: Copies

    @property
    def handlers(self) -> Mapping[type[Task], Handler]:
        """Its jobs."""
        return {PushCopies: self.copies.push_package, PurgeCopies: self.copies.purge_prefix}


def window_of(settings: Settings) -> float:
    """For how many seconds all viewers get the same addresses: no address outlives a permission to play."""
    return min(settings.cdn.url_minutes, settings.playback.grant_minutes / 2) * MINUTE


def delivery_of(
    basis: Basis, storage: Storage, grants: Grants, others: Mapping[str, Cdn], announcing: Announcing
) -> Delivery:
    """Delivery as the settings say; `others` are CDNs that plugins have brought. Withdrawing a video ends tickets like
    its grants. Raises `InvalidSettings`."""
    settings, clock = basis.settings, basis.clock
    tickets = Tickets(basis.instance.keys.derive(Purpose.CDN), clock, grants.revocations.moment)
    cdn = cdn_of(settings, clock, tickets, others)
    wanted = settings.cdn
    copies = Copies(basis.db, basis.queue, storage, clock, cdn, wanted.kind, push=wanted.push)
    announcing.subscribe("cdn", copies.hear)
    basis.queue.on_failed(PushCopies, copies.gave_up_pushing)
    basis.queue.on_failed(PurgeCopies, copies.gave_up_purging)
    return Delivery(tickets, Addresses(cdn, clock, window_of(settings)), copies)


def cdn_of(settings: Settings, clock: Clock, tickets: Tickets, others: Mapping[str, Cdn]) -> Cdn:
    """The CDN that the settings name; `others` are those that plugins have brought.

    Raises `InvalidSettings` for one that nobody knows, or that cannot work with the other settings."""
    wanted = settings.cdn
    made: Mapping[str, Callable[[], Cdn]] = {
        ORIGIN: lambda: OriginCdn(tickets),
        PULL: lambda: PullCdn(wanted.base_url, tickets, clock, window_of(settings), Asking(), _purging(settings)),
        SECURE_LINK: lambda: SecureLinkCdn(
            wanted.base_url, wanted.link_secret, clock, window_of(settings), Asking(), _purging(settings)
        ),
    }
    for name in others:
        if name in made:
            raise InvalidSettings(f"cdn.kind: a plugin calls its CDN {name}, as one that is built in.")
    if wanted.kind not in made and wanted.kind not in others:
        names = [*made, *others]
        meant = perhaps(wanted.kind, names) or f"; there are {', '.join(names)}"
        raise InvalidSettings(f'cdn.kind: nothing installed brings "{wanted.kind}"{meant}')
    cdn = made[wanted.kind]() if wanted.kind in made else others[wanted.kind]
    if cdn.way is Way.GRANT and not wanted.pull_secret:
        raise InvalidSettings(
            f"cdn.pull_secret: {wanted.kind} asks this server about grants, and proves by it who it is."
        )
    return cdn


def _purging(settings: Settings) -> Purging | None:
    cdn = settings.cdn
    return Purging(cdn.purge_url, cdn.purge_token) if cdn.purge_url else None
