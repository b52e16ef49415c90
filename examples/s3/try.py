"""A real S3 server and a streamhost that keeps its media there, on this machine and for as long as this runs."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from streamhost.storage.s3_bucket import Credentials, S3Bucket
from streamhost.storage.s3_requests import S3Requests

HERE = Path(__file__).parent
WEED = Path(sys.executable).with_name("weed")
BUCKET = "media"
GRPC = 10_000
"""How far above each of its ports SeaweedFS has another one."""


def free_port() -> int:
    """A port that is free, together with the one that goes with it."""
    while True:
        port = 12_000 + secrets.randbelow(40_000)
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + GRPC))
            except OSError:
                continue
            return port


async def rules(url: str, keys: Credentials) -> None:
    """Wait for the server, then let browsers read what is signed for them."""
    requests = S3Requests(S3Bucket(BUCKET, endpoint=url, credentials=keys, timeout=5), keys)
    body = (HERE / "cors.xml").read_bytes()
    for _ in range(300):
        try:
            await requests.ask("PUT", "take the rules", query={"cors": ""}, body=body)
        except Exception:
            await asyncio.sleep(0.2)
        else:
            return
    raise SystemExit("The S3 server did not come up.")


def main() -> int:
    """Run both; with --once only until everything was tried."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after `streamhost storage check`")
    once = parser.parse_args().once
    keys = Credentials("example", secrets.token_urlsafe(24))
    ports = [free_port() for _ in range(5)]
    url = f"http://127.0.0.1:{ports[0]}"
    names = ("s3.port", "filer.port", "master.port", "volume.port", "admin.port")
    with tempfile.TemporaryDirectory(prefix="streamhost-s3-") as folder:
        (Path(folder) / "bucket").mkdir()
        command = [str(WEED), "mini", f"-dir={folder}/bucket", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        command += ["-admin.ui=false", "-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        command += [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
        amazon = {"AWS_ACCESS_KEY_ID": keys.access_key_id, "AWS_SECRET_ACCESS_KEY": keys.secret_access_key}
        ours = {
            "STREAMHOST_DATA": f"{folder}/data",
            "STREAMHOST_STORAGE_BACKEND": "s3",
            "STREAMHOST_STORAGE_DELIVERY": "redirect",
            "STREAMHOST_STORAGE_S3_ENDPOINT": url,
            "STREAMHOST_STORAGE_S3_BUCKET": BUCKET,
        }
        with (Path(folder) / "bucket.log").open("wb") as log:
            server = subprocess.Popen(
                command, env={**os.environ, **amazon, "S3_BUCKET": BUCKET}, stdout=log, stderr=log
            )
        try:
            asyncio.run(rules(url, keys))
            streamhost = [sys.executable, "-m", "streamhost"]
            environment = {**os.environ, **amazon, **ours}
            tried = subprocess.run([*streamhost, "storage", "check"], env=environment, check=False).returncode
            if once or tried:
                return tried
            return subprocess.run([*streamhost, "serve"], env=environment, check=False).returncode
        except KeyboardInterrupt:
            time.sleep(1)
            return 0
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
