"""Children that misbehave cost one job, never the parent."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from streamhost import sandbox
from streamhost.model.errors import StreamhostError
from streamhost.ports import StorageUnavailable
from streamhost.sandbox import Limits
from streamhost.sandbox_nursery import Nursery
from streamhost.sandbox_process import Start
from tests.support.processes import started

HERE = Path(__file__).parent
LAST_PLACE = 19
"""The highest nice value."""
QUICK = Limits(silence_seconds=150.0)
Run = Callable[..., Awaitable[dict[str, Any]]]


class Playground:
    """A work directory, a source that may be read, a secret that may not, and the messages that were heard."""

    def __init__(self, place: Path, start: Start) -> None:
        self.start = start
        self.work = place / "work"
        self.work.mkdir()
        self.source = place / "given" / "source.mp4"
        self.secret = place / "secrets" / "master"
        self.messages: list[dict[str, Any]] = []
        self.heard = asyncio.Event()
        for path, text in ((self.source, "the source"), (self.secret, "the secret")):
            path.parent.mkdir()
            path.write_text(text)

    async def run(
        self, trick: str, limits: Limits = QUICK, devices: Sequence[Path] = (), **request: Any
    ) -> dict[str, Any]:
        """Run one of the children's tricks."""
        return await sandbox.run(
            "children",
            {"trick": trick, **request},
            limits=limits,
            on_message=self.hear,
            readable=[HERE, self.source],
            writable=self.work,
            devices=devices,
            start=self.start,
        )

    def hear(self, message: dict[str, Any]) -> None:
        """Keep a message."""
        self.messages.append(message)
        self.heard.set()

    @staticmethod
    def children() -> list[psutil.Process]:
        """The processes that do the work; what forks them is none."""
        return [child for child in started() if child.name() == "children"]

    async def still_works(self) -> None:
        """The parent is well: no child is left, and the next one works."""
        assert self.children() == []
        assert (await self.run("answer", word="still here"))["echo"] == "still here"


@pytest.fixture(params=["new", "forked"])
async def playground(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, from_now: None
) -> AsyncIterator[Playground]:
    """A playground with the tricks on the path, and a secret in the environment; children come either way."""
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("STREAMHOST_SECRET", "must not be seen")
    nursery = Nursery(["streamhost.sandbox"])
    yield Playground(tmp_path, nursery.start if request.param == "forked" else sandbox.start_python)
    await nursery.close()
    assert started() == []


async def test_result_and_messages(playground: Playground) -> None:
    """The result comes back, messages arrive in order, other output is no message, the environment is clean."""
    result = await playground.run("answer", word="hello")
    assert result["echo"] == "hello"
    assert playground.messages == [{"progress": 0.5, "step": "half"}, {"progress": 1.0, "step": "whole"}]
    assert set(result["environment"]) <= {"PATH", "LANG", "HOME", "TMPDIR", "LC_CTYPE"}
    assert result["cwd"] == str(playground.work)
    assert not psutil.pid_exists(result["pid"])


async def test_own_error(playground: Playground) -> None:
    """An error that the module reports keeps its code, and gets the words and the hint of the class with that code."""
    with pytest.raises(sandbox.ChildFailed) as failure:
        await playground.run("refuse", code=StorageUnavailable.code)
    assert (failure.value.code, failure.value.permanent) == ("storage_unavailable", True)
    assert failure.value.detail == "the detail"
    assert failure.value.hint == StorageUnavailable.hint
    assert str(failure.value) == f"{StorageUnavailable.title()} the detail"


async def test_not_confined(playground: Playground) -> None:
    """When the system does not allow the confinement the file is not opened, and the job is not tried again."""
    with pytest.raises(sandbox.ChildNotConfined, match="the detail") as failure:
        await playground.run("refuse", code="child_not_confined")
    assert failure.value.permanent


@pytest.mark.parametrize("strict", [True, False])
def test_who_opens_nothing_strange_works_with_what_confinement_there_is(strict: bool) -> None:
    """Where the system refuses, a process that must be confined ends; one that need not be does its work."""
    config = {"module": "children", "path": [str(HERE)], "strict": strict, "nice": 0}
    config |= {"memory": 2**32, "cpu_seconds": 60, "file_size": 2**20}
    script = "import json, sys\nfrom streamhost import sandbox_child\ndef refuse(config): raise OSError('not here')\n"
    script += "sandbox_child._confine = refuse\nsandbox_child.begin(json.loads(sys.argv[1]))"
    request = json.dumps({"trick": "answer", "word": "hello"})
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(config)], input=request, capture_output=True, text=True, timeout=150
    )
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["error"]["code"] == "child_not_confined" if strict else last["result"]["echo"] == "hello"


async def test_unforeseen_exception(playground: Playground) -> None:
    """An exception that the module lets out is reported with its type and may be tried again."""
    with pytest.raises(sandbox.ChildFailed, match="ValueError: what nobody foresaw") as failure:
        await playground.run("stumble")
    assert (failure.value.code, failure.value.permanent) == ("child_failed", False)


@pytest.mark.parametrize(
    ("trick", "limits", "error", "words"),
    [
        ("segfault", QUICK, sandbox.ChildCrashed, "SIGSEGV"),
        ("abort", QUICK, sandbox.ChildCrashed, "SIGABRT"),
        ("quit_without_answer", QUICK, sandbox.ChildCrashed, "without an answer"),
        ("allocate", Limits(memory=512 * 1024**2), sandbox.ChildOutOfMemory, "memory"),
        ("spin", Limits(cpu_seconds=1, nice=0), sandbox.ChildOverLimit, "processor time"),
        ("sleep", Limits(silence_seconds=0.7), sandbox.ChildSilent, "0.7 seconds"),
    ],
)
async def test_misbehaviour(
    playground: Playground, trick: str, limits: Limits, error: type[StreamhostError], words: str
) -> None:
    """Each way to end badly is an error of its own that says what happened, and that is tried again once at most."""
    with pytest.raises(error, match=words) as failure:
        await playground.run(trick, limits)
    assert type(failure.value) is error
    assert failure.value.retries == 1
    await playground.still_works()


async def test_huge_file(playground: Playground) -> None:
    """A file over the limit ends the process, and is not larger than the limit."""
    path = playground.work / "huge"
    with pytest.raises(sandbox.ChildOverLimit, match="file larger"):
        await playground.run("fill_disk", Limits(file_size=5_000_000), path=str(path))
    assert path.stat().st_size <= 5_000_000
    await playground.still_works()


@pytest.mark.parametrize("lines", [True, False])
async def test_flood(playground: Playground, lines: bool) -> None:
    """Output without end is cut off, while the loop of the parent goes on; its memory stays bounded."""
    before = psutil.Process().memory_info().rss
    longest = 0.0  # of the processor's time: what others take of it on a busy machine does not count

    async def measure() -> None:
        nonlocal longest
        while True:
            started = time.thread_time()
            await asyncio.sleep(0.005)
            longest = max(longest, time.thread_time() - started)

    measuring = asyncio.create_task(measure())
    with pytest.raises(sandbox.ChildFlooded):
        await playground.run("flood", lines=lines)
    measuring.cancel()
    assert longest < 1.0
    assert psutil.Process().memory_info().rss - before < 300e6
    await playground.still_works()


async def test_much_on_stderr(playground: Playground) -> None:
    """Ten megabytes on stderr neither block the process nor are they kept."""
    assert await playground.run("chatter") == {}


async def test_forbidden(playground: Playground) -> None:
    """No network, no programs, no processes, no signals to others, no files but those that were given."""
    result = await playground.run(
        "try_forbidden",
        secret=str(playground.secret),
        elsewhere=str(playground.secret.parent / "new"),
        work=str(playground.work),
        source=str(playground.source),
    )
    outcomes = result["outcomes"]
    assert {name for name, outcome in outcomes.items() if outcome == "done"} == set()
    for name in ("inet socket", "unix socket", "fork", "exec", "kill parent", "trace", "io_uring"):
        assert outcomes[name] == "PermissionError", name
    assert not (playground.secret.parent / "new").exists()
    assert playground.source.read_text() == "the source"


async def test_devices_are_for_those_who_were_given_them(playground: Playground) -> None:
    """A device file is closed to a child that was not given it; one that was may read, write and ask it."""
    device = Path("/dev/full")
    assert await playground.run("use_device", device=str(device)) == {"outcome": "EACCES"}
    result = await playground.run("use_device", devices=[device], device=str(device))
    assert result == {"outcome": "ENOTTY"}


async def test_allowed(playground: Playground) -> None:
    """Threads, reading the source, and every kind of change inside the work directory are what media work needs."""
    result = await playground.run("try_allowed", source=str(playground.source), work=str(playground.work))
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert result == {"threads": 4, "text": "the source", "priority": min(own + QUICK.nice, LAST_PLACE)}


def has_autogroups() -> bool:
    """Whether the kernel shares processor time out among sessions here, and lets them step back."""
    try:
        Path("/proc/self/autogroup").write_text(str(os.getpriority(os.PRIO_PROCESS, 0)))
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


async def test_steps_back_as_a_session(playground: Playground) -> None:
    """Where the kernel shares processor time out among sessions, the session of a child steps back too."""
    for _ in range(10):
        task = asyncio.create_task(playground.run("sleep"))
        await playground.heard.wait()
        playground.heard.clear()
        (child,) = playground.children()
        nice, group = child.nice(), Path(f"/proc/{child.pid}/autogroup")
        words = group.read_text().split() if has_autogroups() else ["nice", str(nice)]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # One change in 0.1 s is all that the kernel takes from processes of one user; others test at the same time.
        if words[-2:] == ["nice", str(nice)]:
            break
    assert words[-2:] == ["nice", str(nice)]
    assert nice >= min(os.getpriority(os.PRIO_PROCESS, 0) + 1, LAST_PLACE)


async def test_cancelled(playground: Playground) -> None:
    """Cancelling the caller ends the process and reaps it before the caller goes on."""
    task = asyncio.create_task(playground.run("sleep"))
    await playground.heard.wait()
    (child,) = playground.children()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(child.pid)


async def test_listener_that_fails(playground: Playground) -> None:
    """An exception in `on_message` reaches the caller, and the process does not outlive it."""

    def refuse(_message: dict[str, Any]) -> None:
        raise RuntimeError("not listening")

    with pytest.raises(RuntimeError, match="not listening"):
        await sandbox.run(
            "children",
            {"trick": "sleep"},
            limits=QUICK,
            on_message=refuse,
            readable=[HERE],
            start=playground.start,
        )
    await playground.still_works()


async def test_module_that_is_missing(playground: Playground) -> None:
    """A module that cannot be imported is an error that names it."""
    with pytest.raises(sandbox.ChildFailed, match="no_such_module"):
        await sandbox.run(
            "no_such_module", {}, limits=QUICK, on_message=playground.messages.append, start=playground.start
        )


async def test_killed_from_outside(playground: Playground) -> None:
    """A kill that nobody here sent is what the kernel does when memory runs out."""
    task = asyncio.create_task(playground.run("sleep"))
    await playground.heard.wait()
    (child,) = playground.children()
    child.kill()
    with pytest.raises(sandbox.ChildOutOfMemory, match="The system ended it"):
        await task


async def test_many_at_once(playground: Playground) -> None:
    """Twenty children at the same time give twenty answers."""
    results = await asyncio.gather(*(playground.run("answer", word=str(number)) for number in range(20)))
    assert [result["echo"] for result in results] == [str(number) for number in range(20)]


async def test_forking_process_that_is_killed(playground: Playground) -> None:
    """Its children die with it, which is a child's end like another; the next child is forked by a new one."""
    if playground.start == sandbox.start_python:
        await playground.still_works()
        return
    task = asyncio.create_task(playground.run("sleep"))
    await playground.heard.wait()
    (child,) = playground.children()
    forker = child.parent()
    assert forker is not None
    assert forker.pid != os.getpid()
    forker.kill()
    with pytest.raises(sandbox.ChildOutOfMemory, match="The system ended it"):
        await task
    await playground.still_works()


async def test_forking_process_serves_many_and_leaves_when_idle(playground: Playground) -> None:
    """One process forks all children, knows what they used, ends some time after the last, and comes back."""
    nursery = Nursery(["streamhost.sandbox"], idle_seconds=0.2)
    playground.start = nursery.start
    tasks = [asyncio.create_task(playground.run("answer", word=str(number))) for number in range(5)]
    results = await asyncio.gather(*tasks)
    assert [result["echo"] for result in results] == [str(number) for number in range(5)]
    assert nursery.usage.cpu > 0
    assert nursery.usage.peak > 1024**2
    deadline = time.monotonic() + 150
    while started():
        assert time.monotonic() < deadline, "it never left"
        await asyncio.sleep(0.02)
    await playground.still_works()
    await nursery.close()


async def test_forking_process_that_cannot_load(playground: Playground) -> None:
    """A module that cannot be loaded is said to the caller, and leaves nothing behind."""
    nursery = Nursery(["no_such_module"])
    playground.start = nursery.start
    for _ in range(2):
        with pytest.raises(sandbox.ChildNotStarted):
            await playground.run("answer", word="never")
    await nursery.close()


async def test_forked_children_keep_nothing_of_their_parent(playground: Playground) -> None:
    """No open file but the three of their own: what asks for further children is out of reach."""
    result = await playground.run("list_files")
    assert [number for number in result["files"] if int(number) > 2] == []


PARENT = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from streamhost import sandbox, sandbox_nursery

def hear(message):
    print("heard", flush=True)

async def main():
    here = Path(sys.argv[1])
    start = sandbox_nursery.Nursery([]).start if sys.argv[2] == "forked" else sandbox.start_python
    await sandbox.run(
        "children", {"trick": "sleep"}, limits=sandbox.Limits(), on_message=hear, readable=[here], start=start
    )

asyncio.run(main())
"""


@pytest.mark.parametrize("way", ["new", "forked"])
def test_parent_killed(way: str) -> None:
    """kill -9 of the parent takes the child along, at once."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(HERE), way], stdout=subprocess.PIPE)
    assert parent.stdout and parent.stdout.readline() == b"heard\n"
    [child] = [one for one in psutil.Process(parent.pid).children(recursive=True) if one.name() == "children"]
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(timeout=150)
    deadline = time.monotonic() + 150
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.01)
