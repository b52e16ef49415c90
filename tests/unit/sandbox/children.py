"""What misbehaves in the sandbox's tests; each request names one trick."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FIONREAD = 0x541B
"""How many bytes can be read (asm-generic/ioctls.h); few devices know it, and those say ENOTTY."""


def say(**message: Any) -> None:
    """One line to the parent."""
    print(json.dumps(message), flush=True)


def answer(request: dict[str, Any]) -> None:
    """Works as it should: two messages, then what it sees of the world."""
    say(progress=0.5, step="half")
    print("a library talks")
    say(progress=1.0, step="whole")
    say(result={"echo": request["word"], "environment": dict(os.environ), "cwd": str(Path.cwd()), "pid": os.getpid()})


def refuse(request: dict[str, Any]) -> None:
    """Reports an error of its own."""
    say(error={"code": request["code"], "detail": "the detail", "permanent": True})


def stumble(_request: dict[str, Any]) -> None:
    """Lets an exception out."""
    raise ValueError("what nobody foresaw")


def complain(_request: dict[str, Any]) -> None:
    """Says more than anybody wants to read, in the end why, and dies."""
    os.write(2, b"once more\n" * 5000 + b"\x1b[2J<b>no paper</b>\n")
    os._exit(1)


def quit_without_answer(_request: dict[str, Any]) -> None:
    """Ends as if all were well, without a result."""


def segfault(_request: dict[str, Any]) -> None:
    """Reads address 0."""
    ctypes.string_at(0)


def abort(_request: dict[str, Any]) -> None:
    """Ends itself as a failed assertion in C does."""
    os.abort()


def allocate(_request: dict[str, Any]) -> None:
    """Wants 10 GB."""
    say(result={"size": len(bytearray(10 * 1024**3))})


def fill_disk(request: dict[str, Any]) -> None:
    """Writes until something stops it."""
    with Path(request["path"]).open("wb") as file:
        while True:
            file.write(bytes(1024 * 1024))


def spin(_request: dict[str, Any]) -> None:
    """Computes for ever, and says that it advances."""
    while True:
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            pass
        say(progress=0.1, step="spinning")


def sleep(_request: dict[str, Any]) -> None:
    """Says one thing, then nothing for ever."""
    say(progress=0.1, step="asleep")
    time.sleep(600)


def flood(request: dict[str, Any]) -> None:
    """Writes to stdout without end, with or without line breaks."""
    block = (b"x" * 1023 + (b"\n" if request["lines"] else b"x")) * 1024
    while True:
        os.write(1, block)


def chatter(_request: dict[str, Any]) -> None:
    """Writes to stderr without reading limits, then answers."""
    for _ in range(1000):
        os.write(2, b"y" * 10_000 + b"\n")
    say(result={})


def list_files(_request: dict[str, Any]) -> None:
    """Answers with the numbers of the files that are open."""
    numbers = os.listdir("/proc/self/fd")
    say(result={"files": [number for number in numbers if os.path.lexists(f"/proc/self/fd/{number}")]})


def try_forbidden(request: dict[str, Any]) -> None:
    """Tries what must not work; answers with what became of each."""
    libc = ctypes.CDLL(None, use_errno=True)
    tricks: dict[str, Callable[[], object]] = {
        "inet socket": lambda: socket.socket(socket.AF_INET),
        "inet6 socket": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        "unix socket": lambda: socket.socket(socket.AF_UNIX),
        "socket pair": socket.socketpair,
        "new program": lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
        "shell": lambda: subprocess.run("true", shell=True, check=True),
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "fork": os.fork,
        "kill parent": lambda: os.kill(os.getppid(), 0),
        "kill group": lambda: os.kill(0, 0),
        "trace": lambda: _call(libc, 101, 16, os.getppid(), 0, 0),
        "io_uring": lambda: _call(libc, 425, 4, bytes(120)),
        "raise limits": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512)),
        "lower limits": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8)),
        "be nicer": lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
        "read a secret": lambda: Path(request["secret"]).read_text(),
        "list the secrets": lambda: os.listdir(Path(request["secret"]).parent),
        "write elsewhere": lambda: Path(request["elsewhere"]).write_text("x"),
        "link to a secret": lambda: (Path(request["work"]) / "link").symlink_to(request["secret"]),
        "write the source": lambda: Path(request["source"]).write_text("x"),
        "read the parent's memory": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    }
    outcomes = {}
    for name, trick in tricks.items():
        try:
            trick()
            outcomes[name] = "done"
        except (OSError, ValueError) as error:
            outcomes[name] = type(error).__name__
    say(result={"outcomes": outcomes})


def use_device(request: dict[str, Any]) -> None:
    """Opens a device file for reading and writing, and asks it something."""
    try:
        with Path(request["device"]).open("r+b", buffering=0) as device:
            fcntl.ioctl(device, FIONREAD, bytes(4))
        say(result={"outcome": "done"})
    except OSError as error:
        say(result={"outcome": errno.errorcode[error.errno or 0]})


def try_allowed(request: dict[str, Any]) -> None:
    """Does what media work needs: threads, reading its source, writing, renaming, removing in its work directory."""
    seen: list[int] = []
    threads = [threading.Thread(target=seen.append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work = Path(request["work"])
    (work / "deep").mkdir()
    (work / "a").write_text(Path(request["source"]).read_text())
    (work / "a").rename(work / "deep" / "b")
    (work / "c").write_text("gone")
    (work / "c").unlink()
    say(result={"threads": len(seen), "text": (work / "deep" / "b").read_text(), "priority": os.getpriority(0, 0)})


def _call(libc: ctypes.CDLL, number: int, *arguments: object) -> None:
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def main() -> None:
    """Do the trick that the request names."""
    request = json.load(sys.stdin)
    globals()[request["trick"]](request)
