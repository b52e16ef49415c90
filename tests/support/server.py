"""A real server in a process of its own, and a small client that speaks to it as a script would."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import psutil

from streamhost.config import load
from streamhost.hashing.hashers import CHILD as HASHING_CHILD
from streamhost.host_basis import CATALOG_FILE
from streamhost.host_people import people
from streamhost.instance import open_instance
from streamhost.media.run import CHILD as MEDIA_CHILD
from streamhost.model.accounts import Role
from streamhost.model.audit import COMMAND_LINE
from tests.support.catalogs import instance_at
from tests.support.ports import free_port

ROOT = {"email": "root@example.org", "password": "correct horse battery", "name": "Root"}
START_SECONDS = 150.0
READY = "The server is ready"
"""The last line of a start; what a person needs to know is printed before it."""
STOP_SECONDS = 150.0
QUICK_HASHES = {"STREAMHOST_ACCOUNTS_ARGON2_MEMORY_KIB": "8192", "STREAMHOST_ACCOUNTS_ARGON2_ROUNDS": "1"}
QUICK_VIDEO = {
    "STREAMHOST_MEDIA_ENCODER": "libx264",
    "STREAMHOST_MEDIA_PRESET": "superfast",
    "STREAMHOST_JOBS_CHILD_SILENCE_SECONDS": "600",
}
"""Servers of tests do not try which encoders work: there are many, and the answer is known. A quick preset halves what
the processor has to do; what presets change is looked at below the server. On a busy machine a process that has stepped
back for others may come to nothing for minutes, which is not its end."""


def clean_environment(**settings: str) -> dict[str, str]:
    """This process's environment without its own settings, with the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAMHOST_")}
    return kept | QUICK_HASHES | QUICK_VIDEO | settings


def until(true: Callable[[], object], seconds: float = 150) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        time.sleep(0.1)


def within(seconds: float, true: Callable[[], object]) -> None:
    """Wait for what is promised within so many seconds. A look counts as half of one at most: one that takes longer is
    held up by a busy machine, which the promise leaves out."""
    left = seconds
    while True:
        begun = time.monotonic()
        if true():
            return
        time.sleep(0.1)
        left -= min(0.5, time.monotonic() - begun)
        assert left > 0, f"not within {seconds:g} seconds"


def own_address(said: str) -> re.Match[str] | None:
    """Where a server listens, by what it has said; a mail that it wrote there before that has addresses, too."""
    places = (re.search(rf"(?<={words} at )http://[\d.]+:(\d+)", said) for words in ("listens", "is running"))
    return next(filter(None, places), None)


class RunningServer:
    """`streamhost serve` on a data directory. Kill it, stop it, start it again on the same port."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.port = 0
        self.url = ""
        self.setup_url = ""
        self._settings = settings
        self.python = sys.executable
        """What runs it; another environment's may have plugins."""
        self._process: subprocess.Popen[bytes] | None = None
        self._log = data.parent / f"{data.name}.log"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process."""
        assert self._process is not None, "the server was not started"
        return self._process

    @property
    def environment(self) -> dict[str, str]:
        """The environment that it runs in."""
        return clean_environment(**self._settings)

    @property
    def output(self) -> str:
        """Everything that all runs have printed."""
        return self._log.read_text("utf-8", "replace")

    def start(self, *, from_nothing: bool = False) -> RunningServer:
        """Start it and wait until it answers. The first time it finds an empty catalog, which takes less than to make
        one; `from_nothing`: it makes everything itself."""
        if not from_nothing and not (self.data / CATALOG_FILE).exists():
            instance_at(self.data)
        begin = self.launch()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            text = self._log.read_bytes()[begin:].decode("utf-8", "replace")
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{text}")
            address = own_address(text) if READY in text else None
            if address and self._answers(address.group(0)):
                self.url, self.port = address.group(0), int(address.group(1))
                setup = re.search(r"http://\S+/setup\?token=[^\s]+", text)
                self.setup_url = setup.group(0) if setup else ""
                return self
            time.sleep(0.05)
        self.kill()  # or it would keep its directory and its port from whoever comes next
        raise AssertionError(f"the server did not answer within {START_SECONDS} s:\n{self.output}")

    def launch(self) -> int:
        """Start it and wait for nothing; where in `output` its words begin (bytes)."""
        self.port = self.port or free_port()
        with self._log.open("ab") as log:
            begin = log.tell()
            command = [self.python, "-m", "streamhost", "serve", "--data", str(self.data), "--port", str(self.port)]
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=self.environment, start_new_session=True
            )
        return begin

    @staticmethod
    def _answers(url: str) -> bool:
        try:
            return httpx.get(f"{url}/startupz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and wait; answers the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server does not end: {self._what_is_left()}") from None

    def _what_is_left(self) -> str:
        """Whom a server waits for: clients that are still connected, and processes below it."""
        clients = [one.raddr for one in psutil.Process(self.process.pid).net_connections("tcp") if one.raddr]
        return f"connected are {clients}, below it run {self.children()}; its last words:\n{self.output[-2000:]}"

    def kill(self) -> None:
        """kill -9 of the whole tree, all at once."""
        for process in [psutil.Process(self.process.pid), *self.children()]:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait(timeout=150)

    def children(self) -> list[psutil.Process]:
        """The processes below the server."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def media_children(self, part: str = "") -> list[psutil.Process]:
        """The processes below the server that open media; others, such as what forks them, are left out. `part`: those
        alone that make parts whose names begin so, which stand in the names of the folders that they work in."""
        found = []
        for child in self.children():
            with contextlib.suppress(psutil.Error):  # it ended meanwhile
                opens = child.name() == MEDIA_CHILD.removeprefix("streamhost.")
                if opens and (not part or f"-{part}" in child.cwd()):
                    found.append(child)
        return found

    def hashing_children(self) -> list[psutil.Process]:
        """The processes below the server that hash passwords."""
        found = []
        for child in self.children():
            with contextlib.suppress(psutil.Error):
                if any(HASHING_CHILD in word for word in child.cmdline()):
                    found.append(child)
        return found

    def restart(self) -> RunningServer:
        """Start it again after `stop` or `kill`, at the same address."""
        return self.start()

    def add_user(self, email: str, role: str = "creator", password: str = "correct horse battery") -> None:
        """Add a verified user beside the running server, as the command line does; a process of its own would take a
        second of the processor each time."""
        settings = load(self.data, self.environment)

        async def add() -> None:
            async with people(settings, open_instance(settings.data)) as house:
                name = email.split("@")[0].title()
                await house.accounts.people.add(email, password, name, Role(role), verified=True, by=COMMAND_LINE)

        with ThreadPoolExecutor(1) as apart:  # whoever asks may be in a loop
            apart.submit(asyncio.run, add()).result()

    def client(self, email: str | None = None, password: str = "correct horse battery") -> Api:
        """A client, signed in if `email` is given."""
        api = Api(self.url)
        if email:
            api.sign_in(email, password)
        return api


class Api(httpx.Client):
    """An HTTP client for the JSON API, with the calls that many tests need."""

    def __init__(self, url: str) -> None:
        super().__init__(base_url=url, timeout=150)

    def sign_in(self, email: str, password: str) -> dict[str, Any]:
        """Get tokens and send the access token from now on."""
        answer = self.post("/api/v1/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        self.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return tokens

    def upload(self, path: Path, **fields: str) -> str:
        """Send a file in one request; answers the video's id."""
        with path.open("rb") as file:
            answer = self.post("/api/v1/upload", files={"file": (path.name, file)}, data=fields)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["video"]["id"])

    def video(self, video_id: str) -> dict[str, Any]:
        """The video's document."""
        answer = self.get(f"/api/v1/videos/{video_id}")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def wait_until(self, video_id: str, *states: str, seconds: float = 540) -> dict[str, Any]:
        """The video's document once it is in one of `states` (`playable` counts as one). At most so many seconds
        may pass without progress: on a busy machine that comes slowly."""
        progress, deadline = -1.0, 0.0
        while True:
            document = self.video(video_id)
            if document["state"] in states or ("playable" in states and document["playable"]):
                return document
            if document["progress"] > progress:
                progress, deadline = document["progress"], time.monotonic() + seconds
            if document["state"] in ("failed", "ready") or time.monotonic() > deadline:
                raise AssertionError(f"waited for {states}, found {document}")
            time.sleep(0.1)

    def stream_events(self, video_id: str) -> AbstractContextManager[httpx.Response]:
        """The server-sent events of a video being made."""
        return httpx.Client.stream(self, "GET", f"/api/v1/videos/{video_id}/events")

    def stream(self, video_id: str) -> dict[str, Any]:  # type: ignore[override]
        """Where the video plays."""
        answer = self.get(f"/api/v1/stream/{video_id}")
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document
