"""Plugins at work in this house: what they put into the queue, and what they are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamhost.db.core import Database
from streamhost.jobs.announcing import Announcing
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.jobs.schedule import Periodic
from streamhost.jobs.worker import Handler
from streamhost.model.mail import Message
from streamhost.model.tasks import JobState, PluginWork, Task, TellPlugin
from streamhost.plugins import Plugin, Plugins, Registered
from streamhost.plugins.asking import Trouble
from streamhost.plugins.house import EVENT_SECONDS
from streamhost.ports import MailSender, Storage

SHOWN = 10
"""Troubles of one plugin that are told at once."""
MARGIN = 30.0
"""Seconds beyond what the plugin itself is given for an event: then it hangs in a way that nothing else has noticed."""


class ShapingMailSender:
    """A mail sender before which plugins may change the message."""

    def __init__(self, sender: MailSender, shape: Callable[[Message], Awaitable[Message]]) -> None:
        self._sender = sender
        self._shape = shape

    async def send(self, message: Message) -> None:
        """See `MailSender`."""
        await self._sender.send(await self._shape(message))


@dataclass(frozen=True, slots=True)
class PluginState:
    """A plugin, what it has registered (in words), and what went wrong with it lately, newest first."""

    plugin: Plugin
    brings: Sequence[str]
    troubles: Sequence[Trouble]


class Plugging:
    """Joins plugins with the queue."""

    def __init__(self, db: Database, queue: Queue, plugins: Plugins, storage: Storage) -> None:
        self._db = db
        self._queue = queue
        self.plugins = plugins
        self.registered: Registered = plugins.register(storage, self.enqueue)

    async def enqueue(
        self, plugin: str, work: str, payload: Mapping[str, Any], *, delay: float = 0.0, key: str | None = None
    ) -> bool:
        """Put work of a plugin into the queue; False if work with the same key waits already."""
        async with self._db.write() as conn:
            added = await self._queue.add(
                conn,
                self._task(plugin, work, payload),
                delay=delay,
                queueing_lock=None if key is None else f"plugin:{plugin}:{key}",
                subject=f"plugin:{plugin}",
            )
        return added is not None

    @property
    def disabled(self) -> Sequence[str]:
        """Plugins that the settings leave alone."""
        return self.plugins.disabled

    async def states(self) -> list[PluginState]:
        """Every plugin as it stands: what went wrong in this run, and work of earlier runs that has failed."""
        return [
            PluginState(one, self.plugins.brings(one.name), await self._troubles(one.name)) for one in self.plugins.all
        ]

    async def _troubles(self, name: str) -> list[Trouble]:
        now = self.plugins.troubles(name)
        async with self._db.read() as conn:
            failed = await self._queue.list(conn, (JobState.FAILED,), kind=PluginWork.of(name).kind, limit=SHOWN)
            told = await self._queue.list(conn, (JobState.FAILED,), kind=TellPlugin.kind, limit=10 * SHOWN)
        told = [job for job in told if job.payload.get("subscriber") == f"plugin:{name}"]
        earlier = [
            Trouble(name, f"given up: {job.kind}", job.finished_at or job.created_at, job.error_detail or "")
            for job in (*failed, *told[:SHOWN])
        ]
        return sorted([*now, *earlier], key=lambda one: -one.at)[:SHOWN]

    def handlers(self) -> dict[type[Task], Handler]:
        """Who does the work of plugins, by its kind."""
        return {PluginWork.of(name): self._handler(name) for name in self.registered.works}

    def schedule(self) -> Sequence[Periodic]:
        """The work of plugins that comes again and again."""
        return [
            Periodic(work.every, self._task(plugin, name, {}), f"plugin:{plugin}:{name}")
            for plugin, works in self.registered.works.items()
            for name, work in works.items()
            if work.every is not None
        ]

    def subscribe(self, announcing: Announcing) -> None:
        """Have the plugins told of events."""
        for name, hear in self.plugins.subscribers().items():
            announcing.subscribe(f"plugin:{name}", hear, patience=EVENT_SECONDS + MARGIN, is_plugin=True)

    def _task(self, plugin: str, work: str, payload: Mapping[str, Any]) -> PluginWork:
        attempts = self.registered.works[plugin][work].attempts
        return PluginWork.of(plugin, attempts)(work, dict(payload))

    def _handler(self, plugin: str) -> Handler:
        async def handle(task: PluginWork, _job: JobContext) -> None:
            await self.plugins.do(plugin, task.work, task.given)

        return handle
