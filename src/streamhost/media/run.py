"""A media task in a child process of its own, as the server runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamhost import sandbox
from streamhost.media import tasks, wire
from streamhost.media.choice import HARDWARE
from streamhost.sandbox_nursery import AVAILABLE, Nursery
from streamhost.sandbox_process import Start

CHILD = "streamhost.media.child"


DRIVER_FACTS = (Path("/proc/driver/nvidia"), Path("/sys/bus/pci"), Path("/sys/class/drm"), Path("/sys/devices"))
"""What the libraries of graphics cards read to find them."""
DEVICE_NAMES = ("dri/card*", "dri/renderD*", "nvidia*")


def needs_hardware(task: tasks.Task) -> bool:
    """Tell whether a task may open a graphics card: only these see its device files."""
    if isinstance(task, tasks.TryEncoders):
        return any(name in HARDWARE for name in task.names)
    return isinstance(task, tasks.EncodeChunk) and task.plan.encoder in HARDWARE


def sources(task: tasks.Task) -> list[Path]:
    """Return the files that a task reads, or their folders."""
    if isinstance(task, tasks.TryEncoders):
        return []
    if isinstance(task, tasks.MakeStoryboard):
        return sorted({Path(tiles.path).parent for tiles in task.tiles})
    return [Path(task.source)]


def devices(root: Path = Path("/dev")) -> list[Path]:
    """Return the device files of graphics cards that this machine has."""
    return sorted(path for name in DEVICE_NAMES for path in root.glob(name))


class MediaRunner:
    """Does media tasks one by one in children with the same limits, which are forked where the system allows it."""

    def __init__(self, limits: sandbox.Limits) -> None:
        self.limits = limits
        self.nursery = Nursery([CHILD], nice=limits.nice)

    async def __call__(
        self, task: tasks.Task, report: Callable[[float, str], None], writable: Path | None
    ) -> tasks.Answer:
        """Run `task`; see `run_task`."""
        # Graphics drivers want a process of their own from its beginning.
        forked = AVAILABLE and not needs_hardware(task)
        return await run_task(task, report, writable, self.limits, self.nursery.start if forked else None)

    async def close(self) -> None:
        """End what forks the children."""
        await self.nursery.close()


async def run_task(
    task: tasks.Task,
    report: Callable[[float, str], None],
    writable: Path | None,
    limits: sandbox.Limits,
    start: Start | None = None,
) -> tasks.Answer:
    """Run `task` within `limits`; it may read its source and write below `writable`. `start`: see `sandbox.run`.

    Raises what the child reports (`sandbox.ChildFailed` with a media error's code) or another `sandbox.ChildError`.
    """

    def hear(message: dict[str, Any]) -> None:
        report(float(message.get("progress", 0.0)), str(message.get("step", "")))

    request = wire.loads(tasks.to_json(task), dict[str, Any])
    hardware = needs_hardware(task)
    result = await sandbox.run(
        CHILD,
        request,
        limits=limits,
        on_message=hear,
        readable=[*sources(task), *(DRIVER_FACTS if hardware else ())],
        writable=writable,
        devices=devices() if hardware else (),
        start=start,
    )
    return tasks.answer_from(task, result)
