"""The machine: disk, clock, programs, encoders, and whether the port is free."""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from importlib import metadata
from pathlib import Path

from streamhost.cli.doctor.lines import Case, Line, fail, failed, ok, skip, warn
from streamhost.cli.tables import size_text
from streamhost.db import migrate
from streamhost.instance import SECRETS_FILE
from streamhost.media import choice, tasks
from streamhost.media.run import run_task
from streamhost.model.errors import StreamhostError
from streamhost.sandbox import Limits

PACKAGES = ("litestar", "granian", "av", "onnxruntime", "pycryptodome", "msgspec")
WRITTEN = 32 * 1024**2
"""Bytes of the file by which the disk's pace is measured."""
SYNCS = 15
SLOW_DISK = 20.0
"""Megabytes a second; uploads from a good line are quicker."""
SLOW_SYNC = 0.05
"""Seconds; every commit of the catalog waits for one."""
NETWORKED = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "glusterfs", "ceph")
"""Kinds of file systems on which locks and memory maps of SQLite cannot be trusted."""
UNSYNCHRONISED = 5
"""What adjtimex(2) answers while nothing keeps the clock right (TIME_ERROR)."""
BUILT = 1_760_000_000
"""A moment before this program was written; a clock that is earlier is wrong."""


async def versions(case: Case) -> AsyncIterator[Line]:
    """Python, SQLite, and what else counts."""
    del case
    found = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    yield ok(
        "versions", f"Python {platform.python_version()}, SQLite {migrate.SQLITE_VERSION}, {found}; {sys.platform}"
    )


async def disk(case: Case) -> AsyncIterator[Line]:
    """Room, pace, and what the data directory lies on."""
    data, keep = case.settings.data, case.settings.uploads.keep_free
    free = shutil.disk_usage(data).free
    if free <= keep:
        hint = "Free some space, or lower uploads.keep_free."
        yield fail("disk", f"{size_text(free)} are free; uploads are refused below {size_text(keep)}.", hint)
    elif free < 2 * keep or free < case.settings.notifications.disk_low:
        yield warn("disk", f"Only {size_text(free)} are free.", "Free some space soon.")
    else:
        yield ok("disk", f"{size_text(free)} are free.")
    nodes = os.statvfs(data)
    if nodes.f_files and nodes.f_favail < 10_000:
        yield warn(
            "disk names", f"Only {nodes.f_favail} more files fit.", "Each minute of video takes about a hundred."
        )
    kind = await asyncio.to_thread(_kind, data)
    if kind in NETWORKED:
        hint = "Keep the catalog on a local disk; media may lie elsewhere: [storage]."
        yield warn("file system", f"{data} lies on {kind}, where the catalog can be damaged.", hint)
    try:
        pace, sync = await asyncio.to_thread(_measured, data)
    except OSError as error:
        yield fail("disk pace", f"{data}: {error.strerror}.", "Look at permissions and the health of the disk.")
        return
    words = f"{pace:.0f} MB/s, {sync * 1000:.1f} ms until something is on disk for good."
    if pace < SLOW_DISK or sync > SLOW_SYNC:
        yield warn("disk pace", words, "Every commit waits for that: an SSD for the data directory makes all quicker.")
    else:
        yield ok("disk pace", words)


async def rights(case: Case) -> AsyncIterator[Line]:
    """Whether secrets are the owner's alone."""
    path = case.settings.data / SECRETS_FILE
    if not path.exists():
        return
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        yield fail("secrets", f"{path} can be read by others ({mode:o}).", f"chmod 600 {path}")
    elif path.stat().st_uid != os.geteuid():
        yield warn("secrets", f"{path} belongs to another user than the one who asks.", "Run this as that user.")
    else:
        yield ok("secrets", "They are for their owner only.")


async def clock(case: Case) -> AsyncIterator[Line]:
    """Whether somebody keeps it right: permissions, signatures and second factors hang on it."""
    del case
    hint = "Switch time synchronisation on: timedatectl set-ntp true, or chrony."
    if time.time() < BUILT:
        yield fail("clock", f"It says {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC.", hint)
        return
    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)))
    except (OSError, AttributeError):
        state = -1
    if state == UNSYNCHRONISED:
        yield warn("clock", "Nothing keeps it right, as far as the system knows.", hint)
    elif state < 0:
        yield skip("clock", "This system does not say whether something keeps it right.")
    else:
        yield ok("clock", "It is kept right.")


async def encoders(case: Case) -> AsyncIterator[Line]:
    """Which ones work here, and the one that the settings choose."""
    wanted = case.settings.media.encoder
    try:
        tried = await run_task(tasks.TryEncoders(choice.ENCODERS), lambda _share, _step: None, None, Limits())
        assert isinstance(tried, tasks.EncodersTried), "that is what this task answers"
        chosen = choice.choose(wanted, tried.working, tried.reasons)
    except StreamhostError as error:
        yield failed("encoders", error)
        return
    works = ", ".join(name for name in choice.ENCODERS if name in tried.working)
    if wanted not in ("auto", "hardware", chosen.name):
        hint = "`streamhost config encoders` tells why; take another media.encoder."
        yield warn("encoders", f"{wanted} does not work here; {chosen.name} does its work.", hint)
    else:
        yield ok("encoders", f"Videos are encoded by {chosen.name}. These work: {works}.")


async def port(case: Case) -> AsyncIterator[Line]:
    """Whether a server can listen where it is to, if none does."""
    server = case.settings.server
    if case.address or server.host.startswith("unix:"):
        return
    for name, number in (("port", server.port), ("media_port", server.media_port)):
        if number == 0:
            continue
        try:
            with socket.create_server((server.host.strip("[]"), number), family=_family(server.host)):
                pass
        except OSError as error:
            hint = f"Another program listens there; choose another server.{name}."
            yield fail("port", f"{server.host} port {number}: {error.strerror}.", hint)
        else:
            yield ok("port", f"{server.host} port {number} is free.")


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _measured(folder: Path) -> tuple[float, float]:
    """Megabytes a second of a file written and synced, and seconds of a sync of a few bytes (the middle one)."""
    block = os.urandom(1024**2)
    with tempfile.TemporaryFile(dir=folder) as file:
        begin = time.perf_counter()
        for _ in range(WRITTEN // len(block)):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        pace = WRITTEN / 1e6 / (time.perf_counter() - begin)
        times = []
        for _ in range(SYNCS):
            begin = time.perf_counter()
            file.write(block[:4096])
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begin)
    return pace, statistics.median(times)


def _kind(folder: Path) -> str:
    """The kind of the file system that a folder lies on; empty where the system does not say."""
    try:
        lines = [line.split() for line in Path("/proc/self/mounts").read_text("utf-8").splitlines()]
    except OSError:
        return ""
    place = folder.resolve()
    above = [words for words in lines if place.is_relative_to(words[1].replace("\\040", " "))]
    return max(above, key=lambda words: len(words[1]))[2] if above else ""
