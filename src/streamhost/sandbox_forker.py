"""A process that has loaded what children need and forks one for each task, so that none has to load it again.

Started by `sandbox_nursery.Nursery`. It opens no media itself: a child takes its limits on (`sandbox_child`) right
after the fork, before it reads its request, as if it had been started anew. Standard library only, apart from what it
is told to load.

Each request is one packet on the control socket: JSON (`cwd`, `env`, and what `sandbox_child` takes) with four open
files: the child's standard input, output and errors, and the leash. When the child has ended, the leash says
`{"status": exit code or minus the signal, "cpu": seconds, "peak": bytes}` and is closed; when its other end is shut
down before that, the child is killed. Since only this process can reap its children, a kill never hits a stranger
with the same number.

What Python compiles of what is loaded is kept (`keep`) where the one who starts this keeps it, too: where the installer
compiled nothing, the next start need not do it again.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

READY = b"ready"
"""What is said when everything is loaded."""
_LARGEST_REQUEST = 128 * 1024
_FILES = 4
_KIBIBYTE = 1024


def main() -> None:
    """Load what the command line's JSON says, then serve requests until the control socket is closed."""
    config: dict[str, Any] = json.loads(sys.argv[1])
    sys.path[:0] = config["path"]
    sandbox_child = importlib.import_module("streamhost.sandbox_child")
    sandbox_child.die_with(config["parent"], ctypes.CDLL(None, use_errno=True))
    os.nice(config["nice"])
    sys.dont_write_bytecode = not config["keep"]
    for name in config["preload"]:
        importlib.import_module(name)
    sys.dont_write_bytecode = True
    # Objects that are never looked at again by the collector stay on pages that all children share.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=config["control"]) as control:
        control.sendall(READY)
        Forker(control, sandbox_child.begin, config["nice"]).serve()


class Forker:
    """Forks children and holds their leashes."""

    def __init__(self, control: socket.socket, begin: Callable[[dict[str, Any]], NoReturn], nice: int) -> None:
        """`begin` is `sandbox_child`'s; `nice` is how far this process has stepped back already."""
        self._control = control
        self._begin = begin
        self._nice = nice
        self._leashes: dict[int, socket.socket] = {}
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(control, selectors.EVENT_READ)
        self._bell, bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._waiting.register(self._bell, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Do what is asked, until nobody can ask any more."""
        while True:
            for key, _ in self._waiting.select():
                if key.fileobj is self._control:
                    if not self._take():
                        return
                elif key.fileobj == self._bell:
                    os.read(self._bell, _KIBIBYTE)
                else:
                    self._let_go(key.data)
            self._reap()

    def _take(self) -> bool:
        """Fork the child that is asked for; False when the other end is gone."""
        data, files, _, _ = socket.recv_fds(self._control, _LARGEST_REQUEST, _FILES)
        if not data:
            return False
        if len(files) == _FILES:
            request = json.loads(data)
            request |= {"parent": os.getpid(), "nice": max(0, request["nice"] - self._nice)}
            child = os.fork()
            if child == 0:
                self._become(request, files)
            leash = socket.socket(fileno=files.pop())
            self._leashes[child] = leash
            self._waiting.register(leash, selectors.EVENT_READ, child)
        for file in files:
            os.close(file)
        return True

    def _become(self, request: dict[str, Any], files: list[int]) -> NoReturn:
        """Be the child: leave everything of this process behind."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            for number, file in enumerate(files[:3]):
                os.dup2(file, number)
            os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
            os.chdir(request["cwd"])
            os.environ.clear()
            os.environ.update(request["env"])
            self._begin(request)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def _let_go(self, child: int) -> None:
        """The leash was dropped: kill the child, which is reaped soon."""
        self._waiting.unregister(self._leashes[child])
        for kill in (os.killpg, os.kill):  # it may not lead a group yet
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(child, signal.SIGKILL)

    def _reap(self) -> None:
        while self._leashes:
            child, status, used = os.wait4(-1, os.WNOHANG)
            if child == 0:
                return
            leash = self._leashes.pop(child)
            with contextlib.suppress(KeyError):
                self._waiting.unregister(leash)
            told = {
                "status": os.waitstatus_to_exitcode(status),
                "cpu": used.ru_utime + used.ru_stime,
                "peak": used.ru_maxrss * _KIBIBYTE,
            }
            with leash, contextlib.suppress(OSError):
                leash.sendall(json.dumps(told).encode())


if __name__ == "__main__":
    main()
