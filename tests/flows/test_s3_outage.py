"""A bucket that is away: the server starts and says so, nothing is lost, and everything goes on by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamhost.testing import clips
from tests.support.s3 import s3_server
from tests.support.server import RunningServer, until


@pytest.mark.slow
def test_a_bucket_that_is_away(tmp_path: Path) -> None:
    """The server starts without its bucket and is not ready; a file in one request is refused with what to do, and
    nothing stays of it; one by tus stays, and becomes a video that plays when the bucket is back."""
    clip = clips.make(tmp_path / "a.mp4", clips.Clip(seconds=2))
    content = clip.read_bytes()
    with s3_server() as bucket:
        bucket.stop()
        settings = bucket.settings(STREAMHOST_STORAGE_S3_TIMEOUT_SECONDS="10")
        server = RunningServer(tmp_path / "data", **settings).start()
        try:
            server.add_user("alice@example.org")
            alice = server.client("alice@example.org")
            found = alice.get("/readyz")
            assert found.status_code == 503
            assert alice.get("/livez").status_code == 200
            refused = alice.post("/api/v1/upload", files={"file": ("a.mp4", content)})
            assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
            assert refused.json()["hint"]
            until(lambda: list((server.data / "uploads").iterdir()) == [])

            tus = {"Tus-Resumable": "1.0.0"}
            begun = alice.post("/api/v1/uploads", headers={**tus, "Upload-Length": str(len(content))})
            assert begun.status_code == 201, begun.text
            octets = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
            alice.patch(begun.headers["location"], content=content, headers={**tus, **octets})
            where = alice.head(begun.headers["location"], headers=tus)
            assert where.status_code in (200, 503)

            bucket.start()
            until(lambda: alice.get("/api/v1/videos?owner=me").json()["items"])
            [video] = [item["id"] for item in alice.get("/api/v1/videos?owner=me").json()["items"]]
            alice.wait_until(video, "ready")
            until(lambda: alice.get("/readyz").status_code == 200)
        finally:
            server.stop()
