"""A media task in a child process of its own, as the server runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamhost import sandbox
from streamhost.media import tasks, wire

CHILD = "streamhost.media.child"


async def run_task(
    task: tasks.Task, report: Callable[[float, str], None], writable: Path | None, limits: sandbox.Limits
) -> tasks.Answer:
    """Run `task` within `limits`; it may read its source and write below `writable`.

    Raises what the child reports (`sandbox.ChildFailed` with a media error's code) or another `sandbox.ChildError`.
    """

    def hear(message: dict[str, Any]) -> None:
        report(float(message.get("progress", 0.0)), str(message.get("step", "")))

    request = wire.loads(tasks.to_json(task), dict[str, Any])
    source = Path(task.source)
    result = await sandbox.run(CHILD, request, limits=limits, on_message=hear, readable=[source], writable=writable)
    return tasks.answer_from(task, result)
