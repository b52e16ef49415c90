"""A real S3 server (SeaweedFS) in a process of its own."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamhost.ports import StorageUnavailable
from streamhost.storage.s3_bucket import Credentials, S3Bucket
from streamhost.storage.s3_requests import S3Requests
from tests.support.ports import free_port

WEED = Path(sys.executable).with_name("weed")
KEYS = Credentials("streamhost", "a secret of sixteen")
BUCKET = "media"
START_SECONDS = 150.0
PATIENCE = 150.0
"""Seconds for one request: a busy machine is no fault of the server. Tests of servers that hang give less."""
GRPC = 10_000
"""How far above each port SeaweedFS has another one."""


class S3Server:
    """SeaweedFS on a folder of its own. Stop it, freeze it, start it again at the same address."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.ports = [free_port(GRPC) for _ in range(5)]
        self.url = f"http://127.0.0.1:{self.ports[0]}"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process."""
        assert self._process is not None, "the server was not started"
        return self._process

    def start(self) -> S3Server:
        """Start it and wait until it takes objects."""
        s3, filer, master, volume, admin = self.ports
        command = [str(WEED), "mini", f"-dir={self.folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        command += [f"-s3.port={s3}", f"-filer.port={filer}", f"-master.port={master}", f"-volume.port={volume}"]
        command += ["-admin.ui=false", f"-admin.port={admin}", "-webdav=false", "-s3.port.iceberg=0"]
        command += ["-s3.port.lance=0", "-s3.autoCreateBucket=false", *self._options]
        keys = {"AWS_ACCESS_KEY_ID": KEYS.access_key_id, "AWS_SECRET_ACCESS_KEY": KEYS.secret_access_key}
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, env={**os.environ, **keys, "S3_BUCKET": BUCKET}
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._takes_objects():
            assert self._process.poll() is None, "the S3 server ended"
            assert time.monotonic() < deadline, "the S3 server did not come up"
            time.sleep(0.1)
        return self

    def _takes_objects(self) -> bool:
        requests = S3Requests(self.bucket(), KEYS)
        try:
            # In this thread: tests call this with and without a running loop.
            put, _ = (requests._send(method, "health/start", {}, b"", {}, True) for method in ("PUT", "DELETE"))
        except StorageUnavailable:
            return False
        return put.status == http.client.OK

    def stop(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait(150)

    def freeze(self) -> None:
        """Let it hang: connections are taken by the kernel and nothing answers."""
        self.process.send_signal(signal.SIGSTOP)
        # Its threads stop one after the other; until then it may still answer.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def bucket(self, prefix: str = "", url: str = "", timeout: float = PATIENCE) -> S3Bucket:
        """The bucket that is there from the start, or a folder in it; `url`: another way to the server."""
        return S3Bucket(BUCKET, prefix, endpoint=url or self.url, credentials=KEYS, timeout=timeout)

    def settings(self, prefix: str = "", url: str = "", **more: str) -> dict[str, str]:
        """The variables by which streamhost keeps its media here."""
        return {
            "STREAMHOST_STORAGE_BACKEND": "s3",
            "STREAMHOST_STORAGE_S3_ENDPOINT": url or self.url,
            "STREAMHOST_STORAGE_S3_BUCKET": BUCKET,
            "STREAMHOST_STORAGE_S3_PREFIX": prefix,
            "STREAMHOST_STORAGE_S3_ACCESS_KEY_ID": KEYS.access_key_id,
            "STREAMHOST_STORAGE_S3_SECRET_ACCESS_KEY": KEYS.secret_access_key,
            **more,
        }

    def allow_origins(self, *origins: str) -> None:
        """Let pages of these origins read what is signed for them (CORS), as an administrator would by hand."""
        rules = "".join(f"<AllowedOrigin>{origin}</AllowedOrigin>" for origin in origins)
        body = f"<CORSConfiguration><CORSRule>{rules}<AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD"
        body += "</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>Content-Length</ExposeHeader>"
        body += "<ExposeHeader>Content-Range</ExposeHeader><MaxAgeSeconds>600</MaxAgeSeconds></CORSRule>"
        body += "</CORSConfiguration>"
        answer = S3Requests(self.bucket(), KEYS)._send("PUT", "", {"cors": ""}, body.encode(), {}, True)
        assert answer.status == http.client.OK, answer


@contextmanager
def s3_server(*options: str) -> Iterator[S3Server]:
    """A running server, its folder gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="s3-"))
    server = S3Server(folder / "data", *options)
    try:
        yield server.start()
    finally:
        if server.process.poll() is None:
            server.thaw()
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
