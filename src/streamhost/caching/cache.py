"""Both levels as one: near, far, or worked out once for everybody who waits.

Every family of answers has a *stamp*, which is a part of the names of its entries. To forget a family is to take
another stamp: nothing has to be found and deleted, and what somebody is still working out from the old state is kept
under a name that nobody asks for. Processes that share a server learn each other's stamps from there.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from streamhost import log
from streamhost.caching.memory import Memory
from streamhost.model.cached import FAMILIES, Family, written

if TYPE_CHECKING:  # it brings the ciphers, which commands do without
    from streamhost.caching.shared import Shared

LOOK_SECONDS = 0.05
"""How long nobody looks whether another process has written to the catalog."""
LOOK_PATIENCE = 0.25
"""If that cannot be told in so many seconds, it is taken as a yes."""
STAMPS_SECONDS = 1.0
"""How long a change that another process has noted in the shared store may go unnoticed."""
STAMP_LIFE = 30 * 24 * 3600.0
SWEEP_SECONDS = 3600.0
FIRST = "0"
"""The stamp of a family that depends on no table, before it was ever forgotten as a whole."""

T = TypeVar("T")
ChangedElsewhere = Callable[[], Awaitable[bool]]
_logger = log.get("cache")


@dataclass(slots=True)
class Counts:
    """What became of the questions for one family. `waited`: somebody else was working it out already."""

    hits: int = 0
    shared_hits: int = 0
    waited: int = 0
    misses: int = 0


async def nobody_else() -> bool:
    """For a catalog that only this process writes to."""
    return False


class Cache:
    """Answers by family and key. What `get` returns belongs to all who asked: nobody changes it."""

    def __init__(
        self,
        memory: Memory | None = None,
        shared: Shared | None = None,
        changed_elsewhere: ChangedElsewhere = nobody_else,
        now: Callable[[], float] = time.monotonic,
        families: Mapping[str, Family] = FAMILIES,
    ) -> None:
        """`memory` None: keep nothing in this process, only let those who ask at once share one answer.
        `changed_elsewhere`: whether another process has written to the catalog since it was last asked."""
        self.counts: dict[str, Counts] = {name: Counts() for name in families}
        self._families = families
        self._memory = memory
        self._shared = shared
        self._changed_elsewhere = changed_elsewhere
        self._now = now
        self._looked = self._stamped = now()
        self._looking: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._stamps = {name: _fresh() if family.tables else FIRST for name, family in families.items()}
        self._unsent: set[str] = set()
        self._flights: dict[str, asyncio.Task[Any]] = {}
        self._decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}

    @property
    def errors(self) -> int:
        """How often the shared store failed or was too slow."""
        return self._shared.errors if self._shared else 0

    async def start(self) -> None:
        """Take over what the shared store still has of an earlier run, but for what the catalog may contradict."""
        if self._shared is None:
            return
        for family in self._families.values():
            if not family.tables:
                if (stamp := await self._shared.get(_stamp_name(family))) is not None:
                    self._stamps[family.name] = stamp.decode()
            elif self._shared.remote:  # nobody else reads files, and the first seal loads the ciphers
                self._unsent.add(family.name)
        if self._unsent:
            self._shared.later(self._send_stamps)
        self._sweeping = asyncio.get_running_loop().create_task(self._sweep(self._shared))

    async def close(self) -> None:
        """End what is underway."""
        ending = [task for task in (*self._flights.values(), self._looking, self._sweeping) if task is not None]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        if self._shared is not None:
            await self._shared.close()

    async def get(self, family: Family, key: str, make: Callable[[], Coroutine[Any, Any, T]], kind: Any) -> T:
        """The answer, at most as old as the family allows; `make` works it out, and what it raises is not kept.

        `kind` is its type, as msgspec knows it: what comes from the shared store is checked against it."""
        await self._look()
        counts = self.counts[family.name]
        name = self._name(family, key)
        known = self._memory.get(name) if self._memory is not None else None
        if known is not None:
            counts.hits += 1
            return cast(T, known[0])
        flight = self._flights.get(name)
        if flight is None:
            flight = asyncio.get_running_loop().create_task(self._fill(family, name, make, kind))
            self._flights[name] = flight
            flight.add_done_callback(lambda done: self._landed(name, done))
        else:
            counts.waited += 1
        return cast(T, await asyncio.shield(flight))

    def drop(self, family: Family, key: str) -> None:
        """Forget one answer: it has changed. Returns at once, so that it can be called after a commit."""
        name = self._name(family, key)
        self._flights.pop(name, None)
        if self._memory is not None:
            self._memory.drop(name)
        shared = self._shared
        if shared is None or not self._seconds(family):
            return

        async def forget() -> None:
            if not await shared.drop(name):
                # It may come back with the store: let nobody ask for it any more.
                self.forget(family)

        if not shared.later(forget):
            self.forget(family)

    def forget(self, family: Family) -> None:
        """Forget every answer of a family. Returns at once."""
        self._stamps[family.name] = _fresh()
        if self._shared is not None and self._seconds(family):
            if not self._unsent:
                self._shared.later(self._send_stamps)
            self._unsent.add(family.name)

    def wrote(self, tables: frozenset[str]) -> None:
        """A transaction has written to these tables, and is on disk."""
        for family in self._families.values():
            if written(family, tables):
                self.forget(family)

    def _name(self, family: Family, key: str) -> str:
        return f"{family.name}:{self._stamps[family.name]}:{key}"

    def _seconds(self, family: Family) -> float:
        """For how long the shared store keeps answers of a family; 0 if it does not."""
        if self._shared is None:
            return 0.0
        return max(family.shared, family.remote if self._shared.remote else 0.0)

    async def _fill(self, family: Family, name: str, make: Callable[[], Coroutine[Any, Any, T]], kind: Any) -> T:
        counts, seconds = self.counts[family.name], self._seconds(family)
        if self._shared is not None and seconds and (data := await self._shared.get(name)) is not None:
            try:
                value = cast(T, self._decoder(kind).decode(data))
            except msgspec.MsgspecError:
                # Kept by another version of this program, whose answers had another shape.
                pass
            else:
                counts.shared_hits += 1
                if self._memory is not None and self._current(name):
                    self._memory.put(name, value, len(data), min(family.local, seconds))
                return value
        value = await make()
        counts.misses += 1
        if not self._current(name) or (self._memory is None and not seconds):
            return value
        data = msgspec.msgpack.encode(value)
        if self._memory is not None:
            self._memory.put(name, value, len(data), family.local)
        if self._shared is not None and seconds:
            shared = self._shared

            async def keep() -> None:
                await shared.put(name, data, seconds)

            shared.later(keep)
        return value

    def _current(self, name: str) -> bool:
        """Whether what this very task has worked out is still asked for: nothing was dropped meanwhile."""
        family, stamp, _ = name.split(":", 2)
        return self._flights.get(name) is asyncio.current_task() and self._stamps[family] == stamp

    def _landed(self, name: str, flight: asyncio.Task[Any]) -> None:
        if self._flights.get(name) is flight:
            del self._flights[name]
        if not flight.cancelled():
            flight.exception()  # whoever waited has it; if all of them have gone, nobody needs to hear of it

    def _decoder(self, kind: Any) -> msgspec.msgpack.Decoder[Any]:
        if kind not in self._decoders:
            self._decoders[kind] = msgspec.msgpack.Decoder(kind)
        return self._decoders[kind]

    async def _look(self) -> None:
        """Find out, now and then, what other processes have changed."""
        now = self._now()
        shared = self._shared
        if shared is not None and (shared.remote or self._unsent) and now - self._stamped >= STAMPS_SECONDS:
            self._stamped = now
            shared.later(self._fetch_stamps)
        if now - self._looked < LOOK_SECONDS and self._looking is None:
            return
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look_elsewhere())
        await asyncio.shield(self._looking)

    async def _look_elsewhere(self) -> None:
        changed = True
        try:
            async with asyncio.timeout(LOOK_PATIENCE):
                changed = await self._changed_elsewhere()
        except Exception as error:
            _logger.debug("Nobody can say whether the catalog was changed elsewhere", error=str(error))
        finally:
            self._looked, self._looking = self._now(), None
            if changed:
                for family in self._families.values():
                    if family.tables:
                        self.forget(family)

    @staticmethod
    async def _sweep(shared: Shared) -> None:
        while True:
            await shared.sweep()
            await asyncio.sleep(SWEEP_SECONDS)

    async def _send_stamps(self) -> None:
        """Tell the shared store which stamps count."""
        shared = self._shared
        while shared is not None and self._unsent:
            name = next(iter(self._unsent))
            stamp = self._stamps[name]
            if not await shared.put(_stamp_name(self._families[name]), stamp.encode(), STAMP_LIFE):
                return
            if self._stamps[name] == stamp:
                self._unsent.discard(name)

    async def _fetch_stamps(self) -> None:
        """Take over stamps that other processes have sent, unless there is something to send first."""
        if self._unsent:
            return await self._send_stamps()
        for family in self._families.values():
            if self._shared is None or not self._seconds(family):
                continue
            before = self._stamps[family.name]
            stamp = await self._shared.get(_stamp_name(family))
            if stamp is not None and self._stamps[family.name] == before:
                self._stamps[family.name] = stamp.decode()
        return None


def _stamp_name(family: Family) -> str:
    return f"stamp:{family.name}"


def _fresh() -> str:
    return secrets.token_hex(8)
