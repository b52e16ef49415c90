"""What each person wants to be told of, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamhost.db import notice_wishes as rows
from streamhost.db.core import Connection, Database
from streamhost.features.notifications.kinds import KINDS, Kind
from streamhost.features.notifications.unsubscribing import Leaving
from streamhost.model.accounts import User
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import UserId
from streamhost.model.notices import EMAIL, IN_APP, AddressAsked, NoticeKind
from streamhost.ports import Notifier

LABELS = {IN_APP: "On the site", EMAIL: "E-mail"}
ADDRESS_LENGTH = 300


@dataclass(frozen=True, slots=True)
class ChannelChoice:
    """A way in which somebody can be told. `asks`: what it must know; `address`: what they have said."""

    name: str
    label: str
    asks: AddressAsked | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class KindChoice:
    """Something of which somebody can be told, and by channel whether they are."""

    kind: NoticeKind
    label: str
    wanted: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything that somebody can choose, as it is now."""

    channels: Sequence[ChannelChoice]
    kinds: Sequence[KindChoice]


class Preferences:
    """Knows who wants what. `notifiers` are the channels besides the bell and mail, by name."""

    def __init__(self, db: Database, notifiers: Mapping[str, Notifier]) -> None:
        self._db = db
        self._asking = {name: one.asks for name, one in notifiers.items() if one.asks is not None}

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that reach single persons."""
        return (IN_APP, EMAIL, *self._asking)

    async def of(self, user: User) -> Choices:
        """What somebody can choose, and has chosen."""
        async with self._db.read() as conn:
            wishes = await rows.wishes(conn, user.id)
            addresses = await rows.addresses(conn, user.id)
        channels = [ChannelChoice(name, LABELS[name]) for name in LABELS]
        channels += [
            ChannelChoice(name, label_of(name), asks, addresses.get(name, "")) for name, asks in self._asking.items()
        ]
        kinds = [
            KindChoice(name, kind.label, {channel: _wants(wishes, name, kind, channel) for channel in self.channels})
            for name, kind in KINDS.items()
            if kind.concerns(user.role)
        ]
        return Choices(channels, kinds)

    async def change(
        self,
        user: User,
        wishes: Mapping[str, Mapping[str, bool]] | None = None,
        addresses: Mapping[str, str] | None = None,
    ) -> Choices:
        """Choose: by kind and channel whether, by channel where. What is not named stays. Raises `InvalidInput`."""
        wrong: dict[str, str] = {}
        for kind, by_channel in (wishes or {}).items():
            if kind not in KINDS or not KINDS[NoticeKind(kind)].concerns(user.role):
                wrong[f"kinds.{kind}"] = "There is no such kind."
            wrong |= {
                f"kinds.{kind}.{name}": "There is no such channel." for name in by_channel if name not in self.channels
            }
        cleaned = {name: text.strip() for name, text in (addresses or {}).items()}
        for name, address in cleaned.items():
            asked = self._asking.get(name)
            if asked is None:
                wrong[f"addresses.{name}"] = "This channel asks for no address."
            elif address and (len(address) > ADDRESS_LENGTH or not re.fullmatch(asked.pattern, address)):
                wrong[f"addresses.{name}"] = asked.help
        if wrong:
            raise InvalidInput(fields=wrong)
        async with self._db.write() as conn:
            for kind, by_channel in (wishes or {}).items():
                for channel, wanted in by_channel.items():
                    await rows.choose(conn, user.id, kind, channel, wanted=wanted)
            for channel, address in cleaned.items():
                await rows.place(conn, user.id, channel, address)
        return await self.of(user)

    async def leave(self, leaving: Leaving) -> None:
        """End mail to somebody, about one thing or about all."""
        async with self._db.write() as conn:
            for kind in (leaving.kind,) if leaving.kind else tuple(KINDS):
                await rows.choose(conn, leaving.user_id, kind, EMAIL, wanted=False)

    async def ways(self, conn: Connection, user_id: UserId, name: NoticeKind) -> dict[str, str]:
        """The channels by which somebody is to be told of a kind, each with where it reaches them."""
        wishes = await rows.wishes(conn, user_id)
        addresses = await rows.addresses(conn, user_id) if self._asking else {}
        wanted = [channel for channel in self.channels if _wants(wishes, name, KINDS[name], channel)]
        return {
            channel: addresses.get(channel, "") for channel in wanted if channel in LABELS or addresses.get(channel)
        }

    async def address(self, user_id: UserId, channel: str) -> str:
        """Where a channel reaches somebody; empty if they have not said."""
        async with self._db.read() as conn:
            return (await rows.addresses(conn, user_id)).get(channel, "")


def label_of(channel: str) -> str:
    """What people call a channel."""
    return LABELS.get(channel) or channel.replace("_", " ").replace("-", " ").capitalize()


def _wants(wishes: Mapping[tuple[str, str], bool], name: str, kind: Kind, channel: str) -> bool:
    return wishes.get((name, channel), kind.by_default(channel))
