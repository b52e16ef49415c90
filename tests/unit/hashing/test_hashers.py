"""Password hashes are made in processes that come, go and break without anybody noticing."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import platform
import signal
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from streamhost import sandbox
from streamhost.hashing import child, hashers
from streamhost.hashing.hashers import STEP_BACK, Cost, Hashers, HashingBusy, HashingUnavailable

PASSWORD = "correct horse battery"
QUICK = Cost(8192, 1, 1)
ENDLESS = Cost(65536, 10**6, 1)
"""More than any machine does before it is ended."""
LAST_PLACE = 19
SMALL = 40 * 1024**2
"""Bytes that an idle process may hold; the server holds twice as many."""

Opener = Callable[..., Hashers]


def nothing() -> None:
    """Lets every hash begin."""


def processes() -> list[psutil.Process]:
    """Those that hash for this program."""
    found = []
    for one in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # or a zombie
            if any(hashers.CHILD in word for word in one.cmdline()):
                found.append(one)
    return found


def turn_of(pid: int) -> int:
    """The time slice that a process has asked for, in nanoseconds: sched_getattr(2)."""
    attributes = ctypes.create_string_buffer(48)
    call = {"x86_64": 315, "aarch64": 275}[platform.machine()]
    assert ctypes.CDLL(None).syscall(call, pid, attributes, 48, 0) == 0
    return int(struct.unpack("IIQiIQQQ", attributes.raw)[5])


async def until(true: Callable[[], object], seconds: float = 150) -> None:
    """Wait for something that happens elsewhere."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


@pytest.fixture
async def opened() -> AsyncIterator[Opener]:
    """Makes `Hashers` that are closed at the end; then no process may be left."""
    async with AsyncExitStack() as stack:

        def opener(cost: Cost = QUICK, most: int = 1, idle_seconds: float = 150.0) -> Hashers:
            made = Hashers(cost, most, idle_seconds)
            stack.push_async_callback(made.close)
            return made

        yield opener
    assert processes() == []


async def test_hashes_and_checks(opened: Opener) -> None:
    """A password fits its hash and no other; what is no hash at all, or a broken one, fits nothing."""
    made = opened()
    stored = await made.hash(PASSWORD, nothing)
    assert stored.startswith("$argon2id$v=19$m=8192,t=1,p=1$")
    assert stored != await made.hash(PASSWORD, nothing)
    assert await made.verify(stored, PASSWORD, nothing)
    for wrong in (stored[:-4] + "AAAA", stored[:40], "", "$argon2id$", "no hash at all\n{}"):
        assert not await made.verify(wrong, PASSWORD, nothing)
    assert not await made.verify(stored, PASSWORD + "\n", nothing)


async def test_the_process_is_small_and_keeps_to_itself(opened: Opener) -> None:
    """It steps back in the server's session, apart from its terminal; dumps no memory; shows nobody a password."""
    made = opened()
    await made.hash(PASSWORD, nothing)
    (process,) = processes()
    place = Path("/proc") / str(process.pid)
    assert process.nice() == min(os.getpriority(os.PRIO_PROCESS, 0) + STEP_BACK, LAST_PLACE)
    assert os.getsid(process.pid) == os.getsid(0)
    assert os.getpgid(process.pid) == process.pid
    assert turn_of(process.pid) in (0, hashers.TURN * 1000)  # kernels before 6.12 do not know them
    assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert process.memory_info().rss < SMALL
    for name in ("cmdline", "environ"):
        assert PASSWORD.split()[1].encode() not in (place / name).read_bytes()
    loaded = {Path(part.path).name.split(".")[0] for part in process.memory_maps()}
    assert not {"_sqlite3", "msgspec", "uvloop", "av"} & loaded


def test_memory_is_not_dumped_to_programs_either() -> None:
    """A limit on core files does not hold where the kernel pipes them; that the memory may not be dumped does."""
    script = "import ctypes; from streamhost.hashing import child; child._keep_to_itself(); "
    script += "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=150)
    assert done.stdout == "0\n", done.stderr


async def test_processes_end_when_idle_and_come_again(opened: Opener) -> None:
    """None is there before the first hash, none after a while without one, and the next hash has one."""
    made = opened(idle_seconds=0.1)
    assert processes() == []
    for _ in range(2):
        await made.hash(PASSWORD, nothing)
        await until(lambda: not processes())


async def test_as_many_processes_as_may_be(opened: Opener) -> None:
    """Hashes go side by side in so many processes, which are used again; more wait for their turn."""
    made, most = opened(most=2), set[int]()

    def turn() -> None:
        most.update(one.pid for one in processes())

    stored = await asyncio.gather(*(made.hash(PASSWORD, turn) for _ in range(12)))
    assert len(set(stored)) == 12
    assert len(processes()) == 2
    assert most <= {one.pid for one in processes()}


async def test_a_full_queue_refuses(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who would wait too long is told at once; who waits already is served."""
    monkeypatch.setattr(hashers, "LONGEST_QUEUE", 3)
    made = opened()
    found = await asyncio.gather(*(made.hash(PASSWORD, nothing) for _ in range(6)), return_exceptions=True)
    assert [type(one) for one in found] == [str] * 4 + [HashingBusy] * 2


async def test_a_turn_may_be_refused(opened: Opener) -> None:
    """What is asked before the work may say no: then no work is done, and the turn goes to the next."""
    made = opened()

    def no() -> None:
        raise PermissionError

    with pytest.raises(PermissionError):
        await made.hash(PASSWORD, no)
    assert processes() == []
    assert await made.hash(PASSWORD, nothing)


@pytest.mark.parametrize("busy", [True, False])
async def test_a_killed_process_is_replaced(opened: Opener, busy: bool) -> None:
    """Killed with work in hand or while it rests, nobody notices: another one does the work."""
    made, begun = opened(), asyncio.Event()
    stored = await made.hash(PASSWORD, nothing)
    (first,) = processes()
    if busy:
        first.suspend()  # what it is given it has not done when it is killed, however slow this process is
    else:
        first.kill()
    checking = asyncio.create_task(made.verify(stored, PASSWORD, begun.set))
    if busy:
        await begun.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        first.kill()
    assert await checking
    (second,) = processes()
    assert second.pid != first.pid


async def test_what_kills_every_process_is_an_error_in_the_end(opened: Opener) -> None:
    """Then the person is asked to try again, and the next hash is tried with a fresh process."""
    made = opened()
    stored = await made.hash(PASSWORD, nothing)
    endless = stored.replace("m=8192,t=1,", f"m={ENDLESS.memory_kib},t={ENDLESS.rounds},")
    checking = asyncio.create_task(made.verify(endless, PASSWORD, nothing))
    seen: set[int] = set()
    while not checking.done():
        for process in processes():
            if process.pid not in seen:
                process.kill()
                seen.add(process.pid)
        await asyncio.sleep(0.005)
    with pytest.raises(HashingUnavailable):
        await checking
    assert len(seen) >= hashers.TRIES
    assert await made.verify(stored, PASSWORD, nothing)


async def test_too_little_memory_is_no_wrong_password(opened: Opener) -> None:
    """A hash that needs more memory than there is: an error, not a no; and the process lives on."""
    made = opened()
    stored = await made.hash(PASSWORD, nothing)
    (process,) = processes()
    with pytest.raises(HashingUnavailable):
        await made.verify(stored.replace("m=8192", "m=16777216"), PASSWORD, nothing)
    assert await made.verify(stored, PASSWORD, nothing)
    assert processes() == [process]


async def test_a_process_that_hangs_is_given_up(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer for far too long is an error, and the process is ended."""
    made = opened()
    stored = await made.hash(PASSWORD, nothing)
    (process,) = processes()
    process.suspend()
    monkeypatch.setattr(hashers, "ANSWER_SECONDS", 0.2)
    with pytest.raises(HashingUnavailable):
        await made.verify(stored, PASSWORD, nothing)
    assert not process.is_running()


async def test_who_goes_away_leaves_the_process_in_order(opened: Opener) -> None:
    """The answer to somebody who hung up is not taken for the next one's, and the process is used again."""
    made = opened()
    right, wrong = await made.hash(PASSWORD, nothing), await made.hash("something else", nothing)
    (process,) = processes()
    begun = asyncio.Event()
    gone = asyncio.create_task(made.verify(right, PASSWORD, begun.set))
    await begun.wait()
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert not await made.verify(wrong, PASSWORD, nothing)
    assert processes() == [process]


async def test_a_signal_to_everybody_does_not_end_a_hash(opened: Opener) -> None:
    """Service managers send SIGTERM to every process of a server, which still finishes what it was asked."""
    made = opened()
    await made.hash(PASSWORD, nothing)
    (process,) = processes()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process.send_signal(number)
    assert await made.hash(PASSWORD, nothing)
    assert processes() == [process]


async def test_closing_ends_what_works_and_what_waits(opened: Opener) -> None:
    """Nobody hangs when the server stops in the middle, and nothing begins after."""
    made = opened(ENDLESS)
    asked = [asyncio.create_task(made.hash(PASSWORD, nothing)) for _ in range(3)]
    await until(processes)
    await made.close()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(one, (asyncio.CancelledError, HashingUnavailable)) for one in found)
    with pytest.raises(HashingUnavailable):
        await made.hash(PASSWORD, nothing)
    assert processes() == []


@pytest.mark.parametrize("what", ["cannot start", "says nonsense", "is not there"])
async def test_a_process_that_does_not_get_ready(opened: Opener, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The person hears to try again; the log has what the process said."""

    async def refuse(*_args: object, **_options: object) -> asyncio.subprocess.Process:
        raise sandbox.ChildNotStarted("Resource temporarily unavailable")

    if what == "cannot start":
        monkeypatch.setattr(sandbox, "spawn", refuse)
    else:
        monkeypatch.setattr(hashers, "CHILD", "this" if what == "says nonsense" else "streamhost.hashing.nowhere")
    with pytest.raises(HashingUnavailable):
        await opened().hash(PASSWORD, nothing)


def test_what_is_sent_wrongly_is_answered_without_quoting_it() -> None:
    """An answer to nonsense names the kind of mistake alone."""
    for line in (b"{" + PASSWORD.encode(), b'{"verify": "' + PASSWORD.encode() + b'"}', b"[]", b'{"hash": 7}'):
        answer = child._answer(line)
        assert set(answer) == {"failed"}
        assert "horse" not in str(answer)
