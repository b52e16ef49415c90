"""Real clients over the real server, which is killed in the middle: every file arrives whole, once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from tests.support.node import NODE, installed
from tests.support.server import Api, RunningServer, until
from tests.support.slow import SlowNetwork
from tests.support.tree import rows
from tests.support.tus import content, status

SIZE = 24_000_000
CHUNK = 2_000_000
RATE = 16_000_000
"""Bytes a second of each connection where an upload must not be over before it is interrupted."""


@pytest.fixture(scope="session")
def tus_js() -> Path:
    """tus-js-client, installed from the lock file if it is not there yet."""
    return installed("tus-js-client") / "upload.mjs"


class Script:
    """tus-js-client at work in a process of its own; what it says is kept as it comes."""

    def __init__(self, script: Path, api: Api, file: Path, **order: Any) -> None:
        token = api.headers["Authorization"].removeprefix("Bearer ")
        asked = {
            "endpoint": f"{str(api.base_url).rstrip('/')}/api/v1/uploads",
            "token": token,
            "file": str(file),
            **order,
        }
        command = [str(NODE), str(script), json.dumps(asked)]
        self.said: list[dict[str, Any]] = []
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(json.loads(line))

    def heard(self, event: str) -> list[dict[str, Any]]:
        """Everything of one kind that it has said so far."""
        return [said for said in self.said if said["event"] == event]

    def wait_for(self, true: Callable[[], object]) -> None:
        """Wait until something is true while the script runs."""
        deadline = time.monotonic() + 150
        while not true():
            assert time.monotonic() < deadline, self.said[-5:]
            assert self._process.poll() is None, self.said[-5:]
            time.sleep(0.002)

    def end(self) -> dict[str, Any]:
        """The last thing that it says."""
        self._process.wait(timeout=150)
        self._reader.join()
        return self.said[-1]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that the tests of this module kill and start again."""
    running = RunningServer(tmp_path_factory.mktemp("clients") / "data").start()
    running.add_user("alice@example.org")
    yield running
    running.stop()


@pytest.fixture
def alice(shared: RunningServer) -> Api:
    return shared.client("alice@example.org")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "source.mp4"
    path.write_bytes(content(SIZE))
    return path


def check(server: RunningServer, file: Path, title: str) -> str:
    """There is one video of that title, whose stored file is the file sent; its id."""
    [row] = rows(server.data, "SELECT id, source_key, source_sha256, source_size FROM videos WHERE title = ?", title)
    sent = hashlib.sha256(file.read_bytes()).hexdigest()
    assert row["source_sha256"] == sent
    assert hashlib.sha256((server.data / "media" / row["source_key"]).read_bytes()).hexdigest() == sent
    jobs = rows(server.data, "SELECT id FROM jobs WHERE kind = 'probe_source' AND subject = ?", f"video:{row['id']}")
    assert len(jobs) == 1
    return str(row["id"])


def spooled(server: RunningServer) -> set[str]:
    return set(os.listdir(server.data / "uploads"))


def kill_at(server: RunningServer, script: Script, sent: int) -> None:
    """kill -9 once the client has sent so much, then start again."""
    script.wait_for(lambda: script.heard("progress") and script.heard("progress")[-1]["sent"] >= sent)
    server.kill()
    time.sleep(0.2)
    server.restart()


@pytest.mark.parametrize(
    ("title", "order"),
    [
        ("plain", {}),
        ("in chunks", {"chunkSize": 3_500_000}),
        ("with the first bytes", {"dataDuringCreation": True, "chunkSize": CHUNK}),
        ("side by side", {"parallelUploads": 4}),
        ("of unknown length", {"deferLength": True, "chunkSize": CHUNK}),
    ],
)
def test_tus_js_client(
    tus_js: Path, shared: RunningServer, alice: Api, file: Path, title: str, order: dict[str, Any]
) -> None:
    """tus-js-client uploads in every way that it knows, and learns which video the file became."""
    title = f"tus-js {title}"
    before = spooled(shared)
    end = Script(tus_js, alice, file, metadata={"title": title, "filename": file.name}, **order).end()
    assert end["event"] == "success", end
    assert check(shared, file, title) == end["video"]
    assert spooled(shared) <= before


@pytest.mark.parametrize(
    ("title", "order"),
    [
        ("in one go", {}),
        ("in chunks", {"chunkSize": 3_500_000}),
        ("side by side", {"parallelUploads": 3, "restarts": 3}),
    ],
)
def test_tus_js_client_through_crashes(
    tus_js: Path, shared: RunningServer, alice: Api, file: Path, title: str, order: dict[str, Any]
) -> None:
    """The server is killed twice in the middle; the client goes on by itself and the file is whole."""
    title = f"tus-js crashes {title}"
    network = SlowNetwork(shared.port, RATE)
    order = {"endpoint": f"{network.url}/api/v1/uploads", **order}
    script = Script(tus_js, alice, file, metadata={"title": title, "filename": file.name}, **order)
    for sent in (SIZE // 4, SIZE // 2):
        kill_at(shared, script, sent)
    end = script.end()
    assert end["event"] == "success", script.said[-5:]
    assert script.heard("retry") or script.heard("error")
    network.close()
    assert check(shared, file, title) == end["video"]


def test_tus_js_client_goes_on_in_another_run(tus_js: Path, shared: RunningServer, alice: Api, file: Path) -> None:
    """A client that died resumes at the stored offset by the upload's address, and sends only the rest."""
    network = SlowNetwork(shared.port, RATE)
    order = {"endpoint": f"{network.url}/api/v1/uploads", "chunkSize": CHUNK}
    first = Script(tus_js, alice, file, metadata={"title": "tus-js resumed"}, **order)
    first.wait_for(lambda: first.heard("progress") and first.heard("progress")[-1]["sent"] >= SIZE // 2)
    first._process.kill()
    [url] = [said["url"] for said in first.heard("url")]
    second = Script(tus_js, alice, file, uploadUrl=url)
    assert second.end()["event"] == "success"
    network.close()
    assert second.heard("progress")[0]["sent"] >= SIZE // 3
    check(shared, file, "tus-js resumed")


def test_tus_js_client_terminates(tus_js: Path, shared: RunningServer, alice: Api, file: Path) -> None:
    """abort(true) ends the upload on the server too; nothing stays of it."""
    before = spooled(shared)
    script = Script(
        tus_js, alice, file, metadata={"title": "tus-js ended"}, chunkSize=1_000_000, terminateAfter=4_000_000
    )
    end = script.end()
    assert end["event"] == "terminated", end
    assert status(alice, end["url"]).status_code == 404
    assert spooled(shared) <= before
    assert rows(shared.data, "SELECT id FROM videos WHERE title = 'tus-js ended'") == []


def tuspy(api: Api) -> TusClient:
    return TusClient(
        f"{str(api.base_url).rstrip('/')}/api/v1/uploads", headers={"Authorization": api.headers["Authorization"]}
    )


def test_tuspy_with_checksums(shared: RunningServer, alice: Api, file: Path) -> None:
    """tuspy sends a sha1 checksum with each chunk, and each is compared."""
    uploader = tuspy(alice).uploader(
        str(file), chunk_size=3_500_000, metadata={"title": "tuspy sha1", "filename": file.name}, upload_checksum=True
    )
    uploader.upload()
    check(shared, file, "tuspy sha1")


def test_tuspy_through_crashes(shared: RunningServer, alice: Api, file: Path) -> None:
    """Killed between and in the middle of chunks, several times: tuspy resumes at what was acknowledged."""
    uploader = tuspy(alice).uploader(
        str(file), chunk_size=CHUNK, metadata={"title": "tuspy crashes"}, upload_checksum=True
    )
    acknowledged = 0
    for number in range(8):
        if number in (2, 5):
            shared.kill()
            with pytest.raises((TusUploadFailed, TusCommunicationError)):
                uploader.upload_chunk()
            shared.restart()
            uploader = tuspy(alice).uploader(str(file), chunk_size=CHUNK, url=uploader.url, upload_checksum=True)
            assert uploader.offset == acknowledged
        uploader.upload_chunk()
        acknowledged = uploader.offset
    network, url = SlowNetwork(shared.port, RATE / 8), str(uploader.url)
    slowly = url.replace(shared.url, network.url)
    uploader = tuspy(alice).uploader(str(file), chunk_size=SIZE, url=slowly, upload_checksum=True)
    spool = shared.data / "uploads" / url.rpartition("/")[2]

    def kill() -> None:
        until(lambda: spool.stat().st_size > acknowledged)
        shared.kill()

    with ThreadPoolExecutor(1) as apart:
        killed = apart.submit(kill)
        with pytest.raises((TusUploadFailed, TusCommunicationError)):
            uploader.upload_chunk()
        killed.result()
    network.close()
    assert acknowledged < spool.stat().st_size < SIZE
    shared.restart()
    uploader = tuspy(alice).uploader(str(file), chunk_size=CHUNK, url=url)
    assert uploader.offset == acknowledged
    uploader.upload()
    check(shared, file, "tuspy crashes")
