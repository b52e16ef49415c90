"""Plugins at work in this house: what they put into the queue, and what they are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from streamhost.db.core import Database
from streamhost.jobs.announcing import Announcing
from streamhost.jobs.context import JobContext
from streamhost.jobs.queue import Queue
from streamhost.jobs.schedule import Periodic
from streamhost.jobs.worker import Handler
from streamhost.model.mail import Message
from streamhost.model.tasks import PluginWork, Task
from streamhost.plugins import Plugins, Registered
from streamhost.plugins.house import EVENT_SECONDS
from streamhost.ports import MailSender, Storage

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
