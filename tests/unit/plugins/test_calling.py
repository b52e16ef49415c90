"""A plugin that crashes, hangs or lies costs its caller a little time, and nobody else anything."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from streamhost.model.errors import Conflict
from streamhost.plugins import calling
from streamhost.plugins.calling import MOST_THREADS, Caller, PluginFailed, PluginTooSlow
from tests.support.logs import logged

PATIENCE = 150.0


async def answer(function: Callable[..., Any], patience: float = PATIENCE, **given: Any) -> Any:
    """What a function of a plugin answers."""
    return await Caller("bell").call("on_event", function, given, patience)


async def wait(number: int) -> int:
    """A coroutine."""
    await asyncio.sleep(0)
    return number + 1


async def test_plain_functions_and_coroutines_answer() -> None:
    """Both kinds, and a plain function that returns a coroutine, give their value."""
    assert await answer(wait, number=1) == 2
    assert await answer(lambda number: number + 1, number=1) == 2
    assert await answer(lambda number: wait(number), number=1) == 2


async def test_a_plain_function_runs_beside_the_loop() -> None:
    """What blocks, blocks a thread of its own: the loop goes on meanwhile."""
    release = threading.Event()
    call = asyncio.create_task(answer(release.wait))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not call.done()
    release.set()
    assert await call is True


@pytest.mark.parametrize(
    "error", [ValueError("x" * 5000), SystemExit(3), KeyboardInterrupt(), StopIteration(), RecursionError()]
)
@pytest.mark.parametrize("plain", [True, False])
async def test_whatever_is_raised_is_a_failure(error: BaseException, plain: bool) -> None:
    """Even what would end the program is an error of the plugin, in a bounded number of words."""

    async def raises() -> None:
        await asyncio.sleep(0)
        raise error

    def raises_plainly() -> None:
        raise error

    with pytest.raises(PluginFailed, match=r"^A plugin .* bell, on_event: \w+") as failure:
        await answer(raises_plainly if plain else raises)
    assert len(failure.value.detail) < 400


async def test_errors_of_ours_stay_what_they_are() -> None:
    """A plugin may raise an error that its caller understands."""

    async def refuses() -> None:
        raise Conflict("not now")

    with pytest.raises(Conflict, match="not now"):
        await answer(refuses)


async def test_what_hangs_is_left_behind() -> None:
    """Neither a thread that hangs nor a coroutine that will not be cancelled holds up its caller."""
    release = threading.Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    for function in (release.wait, stubborn):
        with pytest.raises(PluginTooSlow):
            await answer(function, 0.05)
    release.set()


def test_a_thread_that_outlives_its_loop_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs until the server is over finds nobody to tell its answer to, and says nothing of that."""
    heard: list[object] = []
    monkeypatch.setattr(threading, "excepthook", heard.append)
    release, caller = threading.Event(), Caller("late")
    with pytest.raises(PluginTooSlow):
        asyncio.run(caller.call("on_event", release.wait, {}, 0.01))
    [thread] = [one for one in threading.enumerate() if one.name == "plugin-late-on_event"]
    release.set()
    thread.join(PATIENCE)
    assert (thread.is_alive(), heard) == (False, [])


async def test_what_will_not_be_cancelled_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the server, which waits for what is left when it stops, would never stop."""
    monkeypatch.setattr(calling, "CLEANING_SECONDS", 0.05)
    tries: list[str] = []

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                tries.append("no")

    with pytest.raises(PluginTooSlow):
        await answer(stubborn, 0.05)
    left = [task for task in asyncio.all_tasks() if task.get_name() == "plugin-bell-on_event"]
    assert len(left) == 1
    await asyncio.wait(left, timeout=150)
    assert (left[0].cancelled(), tries) == (True, ["no"])


async def test_threads_that_hang_are_counted() -> None:
    """A plugin that always hangs gets so many threads and no more; once they return, it is called again."""
    release, caller = threading.Event(), Caller("bell")
    for _ in range(MOST_THREADS):
        with pytest.raises(PluginTooSlow):
            await caller.call("on_event", release.wait, {}, 0.01)
    before = threading.active_count()
    with pytest.raises(PluginTooSlow, match="have not returned"):
        await caller.call("on_event", release.wait, {}, PATIENCE)
    assert threading.active_count() <= before
    release.set()
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            assert await caller.call("on_event", lambda: "well", {}, PATIENCE) == "well"
            break
        except PluginTooSlow:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)


async def test_a_plugin_that_cancels_itself_has_failed() -> None:
    """Its cancellation is not taken for that of the request."""

    async def gives_up() -> None:
        raise asyncio.CancelledError

    with pytest.raises(PluginFailed, match="cancelled itself"):
        await answer(gives_up)


async def test_whoever_waits_can_be_cancelled() -> None:
    """A request that is gone cancels the plugin's coroutine, which may clean up."""
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cleaned up")

    call = asyncio.create_task(answer(waits))
    await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ended == ["cleaned up"]


async def test_what_holds_up_the_server_is_named() -> None:
    """A coroutine that blocks cannot be stopped, but the log says which plugin and which hook it was."""

    async def blocks() -> None:
        time.sleep(0.4)

    with logged() as entries:
        await answer(blocks)
    [entry] = [entry for entry in entries if entry.get("action") == "plugin_blocked"]
    assert (entry["plugin"], entry["hook"]) == ("bell", "on_event")


async def test_calls_are_printed_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    """With the trace on, every call is a line: the plugin, the hook, what it got and what came of it."""
    caller = Caller("bell", trace=True)
    await caller.call("before_register", lambda name: f"hello\n{name}", {"name": "alice"}, PATIENCE)
    with pytest.raises(PluginFailed):
        await caller.call("before_register", lambda name: 1 / 0, {"name": "bob"}, PATIENCE)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("plugin bell: before_register(name='alice') -> 'hello\\nalice' (")
    assert second.startswith("plugin bell: before_register(name='bob') raised ZeroDivisionError: division by zero (")
