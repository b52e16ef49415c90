"""What runs first in a sandboxed process: it gives up what the work does not need, then calls the module's `main()`.

Started by `streamhost.sandbox` as a script, before anything else is imported, or called in a process that was forked
by `sandbox_forker`; so this file uses the standard library only, and `sys.path` is what the parent says. Linux knows
all of it (x86_64 and aarch64), other systems the resource limits only.

- resource limits: address space, processor time, file size, open files, no core dumps (setrlimit(2));
- steps back: nice value, input and output priority, first to go when the machine runs out of memory;
- dies with its parent (PR_SET_PDEATHSIG), gains no privileges (PR_SET_NO_NEW_PRIVS), drops root's capabilities;
- Landlock: reads Python, system libraries and what it was given; writes only its work directory;
- seccomp: no sockets, no new programs or processes, no tracing, no changes to the system.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import faulthandler
import importlib
import json
import os
import platform
import resource
import signal
import struct
import sys
import sysconfig
import time
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

OUT_OF_MEMORY = b'{"error":{"code":"child_out_of_memory","detail":"","permanent":false}}\n'
"""Ready before memory runs out."""

_OPEN_FILES = 256
_AUTOGROUP_TRIES = 4
_AUTOGROUP_SECONDS = 0.11
_CPU_GRACE = 5
"""Seconds between the signal that can be named (SIGXCPU) and the kernel's kill."""

_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 15, 22, 38
_LONGEST_NAME = 15
"""Bytes of a name that the kernel keeps; `top` and `ps` then show `media.child`."""
_SECCOMP_MODE_FILTER = 2

# linux/capability.h: version 3 of the header; the one capability kept lets root read what another account owns
_CAPABILITY_VERSION_3, _CAP_DAC_OVERRIDE = 0x20080522, 1

# linux/audit.h and the system call tables of the two machines
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CALLS: dict[str, dict[str, int]] = {
    "x86_64": {
        "clone": 56,
        "kill": 62,
        "tkill": 200,
        "tgkill": 234,
        "prlimit64": 302,
        "ioprio_set": 251,
        "sched_setattr": 314,
        "capset": 126,
    },
    "aarch64": {
        "clone": 220,
        "kill": 129,
        "tkill": 130,
        "tgkill": 131,
        "prlimit64": 261,
        "ioprio_set": 30,
        "sched_setattr": 274,
        "capset": 91,
    },
}
_CLONE3 = 435
_CLONE_THREAD = 0x10000
_X32_BIT = 0x40000000
_DENIED: dict[str, tuple[int, ...]] = {
    "x86_64": (
        *(41, 42, 43, 44, 46, 49, 50, 53, 288, 307),  # socket connect accept sendto sendmsg bind listen socketpair …
        *(57, 58, 59, 322),  # fork vfork execve execveat
        *(101, 310, 311, 312, 129, 297),  # ptrace process_vm_readv process_vm_writev kcmp rt_(tg)sigqueueinfo
        *(165, 166, 155, 161, 272, 308, 133, 259, 303, 304),  # mount … chroot unshare setns mknod open_by_handle_at
        *(246, 320, 175, 313, 176, 169, 167, 168, 163),  # kexec modules reboot swap acct
        *(164, 227, 159, 305, 179, 103, 172, 173, 170, 171),  # clocks quotactl syslog iopl ioperm host names
        *(321, 298, 248, 249, 250, 323, 160, 141),  # bpf perf keys userfaultfd setrlimit setpriority
    ),
    "aarch64": (
        *(198, 203, 202, 206, 211, 200, 201, 199, 242, 269),
        *(221, 281),
        *(117, 270, 271, 272, 138, 240),
        *(40, 39, 41, 51, 97, 268, 33, 264, 265),
        *(104, 294, 105, 273, 106, 142, 224, 225, 89),
        *(170, 112, 171, 266, 60, 116, 161, 162),
        *(280, 241, 217, 218, 219, 282, 164, 140),
    ),
}
_DENIED_EVERYWHERE = (424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 438, 440, 442)
"""The same numbers on every machine: pidfd_*, io_uring_* (opens sockets too), the mount interface, process_madvise."""

# linux/filter.h, linux/seccomp.h
_LOAD, _JUMP_EQUAL, _JUMP_SET, _JUMP_ABOVE, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NR, _ARCH, _ARG0, _ARG2 = 0, 4, 16, 32

# linux/landlock.h; the calls have these numbers on every machine
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_FS_WRITE_FILE, _FS_READ_FILE, _FS_READ_DIR, _FS_REFER, _FS_TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 13, 1 << 14
_FS_MAKE = sum(1 << bit for bit in (4, 5, 7, 8))
"""Remove and make directories and files; no devices, sockets or pipes, nor symbolic links, which would lead whoever
reads the results astray."""
_FS_IOCTL_DEVICE = 1 << 15
_FS_OF_FILES = _FS_WRITE_FILE | _FS_READ_FILE | _FS_TRUNCATE | _FS_IOCTL_DEVICE
_FS_ALL_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_FS_ALL_NOW = (1 << 16) - 1
_NET_ALL, _SCOPE_ALL = 0b11, 0b11
_SYSTEM_READABLE = (
    *("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom", "/dev/zero"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu"),
)


def main() -> None:
    """Do what the command line's JSON says."""
    if os.getpid() != os.getpgrp():
        os.setpgrp()  # not apart from the parent's session, but from what a terminal sends to all of a group
    begin(json.loads(sys.argv[1]))


def begin(config: dict[str, Any]) -> NoReturn:
    """Apply the limits, run the module, end the process without ceremony."""
    faulthandler.enable()
    _limit(config)
    if sys.platform == "linux":
        try:
            _confine(config)
        except OSError as error:
            if config["strict"]:
                _report("child_not_confined", str(error), permanent=True)
                os._exit(1)
    sys.path[:0] = [entry for entry in config["path"] if entry not in sys.path]
    sys.argv = [config["module"]]
    status = _call(config["module"])
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _call(name: str) -> int:
    """Run `main()` of the module; what it did not handle itself becomes the last line."""
    try:
        outcome = importlib.import_module(name).main()
    except MemoryError:
        os.write(1, OUT_OF_MEMORY)
        return 1
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            os.write(1, OUT_OF_MEMORY)
            return 1
        traceback.print_exc()
        _report("child_failed", f"{type(error).__name__}: {error}"[:1000], permanent=False)
        return 1
    return outcome if isinstance(outcome, int) else 0


def _report(code: str, detail: str, *, permanent: bool) -> None:
    line = json.dumps({"error": {"code": code, "detail": detail, "permanent": permanent}})
    print(line, flush=True)  # noqa: T201 - the protocol


def _limit(config: dict[str, Any]) -> None:
    """Resource limits and priority; everywhere."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it; the parent wants to see which limit it was
    _set_limit(resource.RLIMIT_CORE, 0, 0)
    _set_limit(resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES)
    _set_limit(resource.RLIMIT_FSIZE, config["file_size"], config["file_size"])
    _set_limit(resource.RLIMIT_CPU, config["cpu_seconds"], config["cpu_seconds"] + _CPU_GRACE)
    _set_limit(resource.RLIMIT_AS, config["memory"], config["memory"])
    with contextlib.suppress(OSError):
        os.nice(config["nice"])


def _set_limit(which: int, soft: int, hard: int) -> None:
    _, highest = resource.getrlimit(which)
    if highest != resource.RLIM_INFINITY:
        soft, hard = min(soft, highest), min(hard, highest)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (soft, hard))


def _confine(config: dict[str, Any]) -> None:
    """What only Linux knows. Ends the process when its parent is gone, or when a confinement cannot be applied."""
    libc = ctypes.CDLL(None, use_errno=True)
    machine = platform.machine()
    die_with(config["parent"], libc)
    name = config["module"].removeprefix("streamhost.").encode()[:_LONGEST_NAME]
    libc.prctl(ctypes.c_ulong(_PR_SET_NAME), ctypes.c_char_p(name), *_longs(0, 0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
    if os.getsid(0) == os.getpid():
        _step_back_as_a_session()
    _must(libc.prctl(*_longs(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
    if machine in _CALLS:
        libc.syscall(*_longs(_CALLS[machine]["ioprio_set"], 1, 0, (2 << 13) | 7))  # best effort, last of eight
        if config["turn"]:
            _shorten_turns(libc, _CALLS[machine]["sched_setattr"], config["turn"])
        header = struct.pack("II", _CAPABILITY_VERSION_3, 0)
        kept = struct.pack("6I", 1 << _CAP_DAC_OVERRIDE, 1 << _CAP_DAC_OVERRIDE, 0, 0, 0, 0)
        if os.geteuid() == 0:
            libc.syscall(*_longs(_CALLS[machine]["capset"]), header, kept)
    _landlock(
        libc,
        [*_python_places(config["path"]), *_SYSTEM_READABLE, *config["readable"]],
        config["writable"],
        config["devices"],
    )
    if config["no_network"] and machine in _CALLS:
        program = _filter(machine, os.getpid())
        buffer = ctypes.create_string_buffer(program, len(program))
        header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
        _must(libc.prctl(*_longs(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER), header, *_longs(0, 0)))


def die_with(parent: int, libc: ctypes.CDLL) -> None:
    """Have this process killed when the process `parent`, which started it, is gone; end it if it is gone already."""
    _must(libc.prctl(*_longs(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)))
    if os.getppid() != parent:
        os._exit(1)


def _step_back_as_a_session() -> None:
    """Give the autogroup of this session the nice value of this process, which counts for nothing outside of the group
    (sched(7)). Kernels without autogroups have no such file. Others take one change in 0.1 s from all of a user's
    processes together, so it is tried again."""
    for _ in range(_AUTOGROUP_TRIES):
        try:
            Path("/proc/self/autogroup").write_text(str(os.getpriority(os.PRIO_PROCESS, 0)))
        except BlockingIOError:
            time.sleep(_AUTOGROUP_SECONDS)
        except OSError:
            return
        else:
            return


def _shorten_turns(libc: ctypes.CDLL, call: int, microseconds: int) -> None:
    """Ask for short time slices: sched_setattr(2), `sched_runtime` of an ordinary process. Best effort."""
    policy, nice = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
    attributes = struct.pack("IIQiIQQQ", 48, policy, 0, nice, 0, microseconds * 1000, 0, 0)
    libc.syscall(*_longs(call, 0), attributes, *_longs(0))


def _longs(*numbers: int) -> list[ctypes.c_ulong]:
    """Arguments as wide as these calls read them; ctypes would pass an int."""
    return [ctypes.c_ulong(number) for number in numbers]


def _must(result: int) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _python_places(path: Iterable[str]) -> list[str]:
    """Where this Python and its packages lie, and this program; not every entry of sys.path, one may be a home."""
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    places |= {entry for entry in path if Path(entry).name in ("site-packages", "dist-packages")}
    # The folder that holds this package: importing it lists that folder (site-packages, or `src` of a checkout).
    return [*sorted(places), str(Path(__file__).parent.parent)]


def _landlock(libc: ctypes.CDLL, readable: Iterable[str], writable: Sequence[str], devices: Sequence[str]) -> None:
    """Restrict the file system where the kernel can (5.13 and later); see landlock(7)."""
    version = libc.syscall(*_longs(_LANDLOCK_CREATE, 0, 0, 1))
    if version < 1:
        return
    handled = _FS_ALL_BY_VERSION.get(version, _FS_ALL_NOW)
    fields = [handled] + ([_NET_ALL] if version >= 4 else []) + ([_SCOPE_ALL] if version >= 6 else [])
    attributes = struct.pack(f"{len(fields)}Q", *fields)
    ruleset = libc.syscall(*_longs(_LANDLOCK_CREATE), attributes, *_longs(len(attributes), 0))
    _must(ruleset)
    read = _FS_READ_FILE | _FS_READ_DIR
    write = read | _FS_WRITE_FILE | _FS_MAKE | _FS_REFER | _FS_TRUNCATE
    use = _FS_READ_FILE | _FS_WRITE_FILE | _FS_IOCTL_DEVICE
    for paths, rights in ((readable, read), (writable, write), (devices, use)):
        for path in paths:
            with contextlib.suppress(OSError):
                _allow(libc, ruleset, path, rights & handled)
    _must(libc.syscall(*_longs(_LANDLOCK_RESTRICT, ruleset, 0)))
    os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not Path(path).is_dir():
            rights &= _FS_OF_FILES
        rule = struct.pack("=Qi", rights, place)
        _must(libc.syscall(*_longs(_LANDLOCK_ADD, ruleset, 1), rule, *_longs(0)))
    finally:
        os.close(place)


def _filter(machine: str, pid: int) -> bytes:
    """The seccomp program: what is denied answers EPERM, so libraries see an ordinary error."""
    calls = _CALLS[machine]
    program: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NR),
        (_JUMP_ABOVE, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_JUMP_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),  # the library then uses clone, whose flags can be looked at
    ]
    for number in (*_DENIED[machine], *_DENIED_EVERYWHERE):
        program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    for number, test in (
        (calls["clone"], (_JUMP_SET, 0, 1, _CLONE_THREAD)),  # threads, not processes
        (calls["kill"], (_JUMP_EQUAL, 0, 1, pid)),  # signals to itself only
        (calls["tgkill"], (_JUMP_EQUAL, 0, 1, pid)),
        (calls["prlimit64"], (_JUMP_EQUAL, 0, 1, 0)),  # reads limits, sets none
    ):
        argument = _ARG2 if number == calls["prlimit64"] else _ARG0
        allow, deny = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno.EPERM)
        program += [(_JUMP_EQUAL, 0, 4, number), (_LOAD, 0, 0, argument), test, allow, deny]
    program += [(_JUMP_EQUAL, 0, 1, calls["tkill"]), (_RETURN, 0, 0, _ERRNO | errno.EPERM), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


if __name__ == "__main__":
    main()
