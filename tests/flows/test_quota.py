"""Quotas on the real server: by each way of uploading, as clients see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Api, RunningServer

ALICE, ROOT = "alice@example.org", "root@example.org"
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site where everybody may keep 100,000 bytes."""
    data = tmp_path_factory.mktemp("quota") / "data"
    running = RunningServer(data, STREAMHOST_UPLOADS_QUOTA_BYTES="100000", STREAMHOST_UPLOADS_KEEP_FREE="0").start()
    running.add_user(ALICE, "creator")
    running.add_user(ROOT, "admin")
    yield running
    running.stop()


@pytest.fixture
def alice(site: RunningServer) -> Api:
    """Alice, who uploads."""
    return site.client(ALICE)


def test_what_is_too_much_is_507(alice: Api) -> None:
    """By tus and by one request, what does not fit is refused with 507 and the reason, before it is sent."""
    begun = alice.post("/api/v1/uploads", headers=TUS | {"Upload-Length": "100001"})
    assert (begun.status_code, begun.json()["code"]) == (507, "over_quota")
    assert begun.headers["tus-resumable"] == "1.0.0"
    assert "100000 are left" in begun.json()["detail"]
    sent = alice.post("/api/v1/upload", files={"file": ("film.mp4", bytes(150_000))})
    assert (sent.status_code, sent.json()["code"]) == (507, "over_quota")
    assert alice.get("/api/v1/me/quota").json()["bytes"] == {"used": 0, "limit": 100_000}


def test_an_upload_without_length(alice: Api) -> None:
    """Pieces of a file whose length nobody said are taken while they fit; the offset tells what was."""
    upload = alice.post("/api/v1/uploads", headers=TUS | {"Upload-Defer-Length": "1"}).headers["location"]
    piece = TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert alice.patch(upload, headers=piece, content=bytes(90_000)).status_code == 204
    more = alice.patch(upload, headers=piece | {"Upload-Offset": "90000"}, content=bytes(20_000))
    assert (more.status_code, more.json()["code"]) == (507, "over_quota")
    assert alice.head(upload, headers=TUS).headers["upload-offset"] == "90000"
    assert alice.delete(upload, headers=TUS).status_code == 204


def test_an_admin_allows_more(site: RunningServer, alice: Api) -> None:
    """What an admin sets for one user counts at once, is shown to both, and stands in the audit log."""
    root = site.client(ROOT)
    me = alice.get("/api/v1/me").json()["id"]
    answer = root.put(f"/api/v1/admin/users/{me}/quota", json={"bytes": 500_000, "videos": 1})
    assert answer.status_code == 200, answer.text
    assert answer.json()["quota"] == {"bytes": 500_000, "videos": 1}
    video = alice.post("/api/v1/upload", files={"file": ("film.mp4", bytes(150_000))})
    assert video.status_code == 202, video.text
    assert alice.get("/api/v1/me/quota").json() == {
        "bytes": {"used": 150_000, "limit": 500_000},
        "videos": {"used": 1, "limit": 1},
        "trash": {"bytes": 0, "videos": 0},
    }
    second = alice.post("/api/v1/uploads", headers=TUS | {"Upload-Length": "1"})
    assert (second.status_code, second.json()["detail"]) == (507, "You have 1 of the 1 videos that you may keep.")
    address = f"/api/v1/videos/{video.json()['video']['id']}"
    assert alice.delete(address, params={"permanently": "false"}).status_code == 204
    assert alice.get("/api/v1/me/quota").json()["trash"] == {"bytes": 150_000, "videos": 1}
    third = alice.post("/api/v1/uploads", headers=TUS | {"Upload-Length": "1"})
    assert (third.status_code, third.json()["detail"]) == (
        507,
        "You have 1 of the 1 videos that you may keep. 1 in your trash counts too, with 150000 bytes.",
    )
    assert alice.delete(address).status_code == 204
    assert alice.get("/api/v1/me/quota").json()["videos"]["used"] == 0
    root.put(f"/api/v1/admin/users/{me}/quota", json={})
    assert root.get(f"/api/v1/admin/users/{me}/quota").json()["usage"]["bytes"]["limit"] == 100_000
    acts = root.get("/api/v1/admin/audit", params={"act": "quota_changed"}).json()["items"]
    assert [act["details"] for act in acts] == [
        {"bytes": "default", "videos": "default"},
        {"bytes": "500000", "videos": "1"},
    ]
    assert {act["subject"]["words"] for act in acts} == {ALICE}


@pytest.mark.parametrize("wrong", [{"bytes": -1}, {"bytes": 2**60}, {"videos": "many"}, [], None])
def test_numbers_that_are_none(site: RunningServer, alice: Api, wrong: object) -> None:
    """A quota that is no number, or too large to be told exactly, is refused with the field; nothing changes."""
    me = alice.get("/api/v1/me").json()["id"]
    answer = site.client(ROOT).put(f"/api/v1/admin/users/{me}/quota", json=wrong)
    assert answer.status_code in (400, 422), answer.text
    assert alice.get("/api/v1/me/quota").json()["bytes"]["limit"] == 100_000


def test_a_quota_survives_a_restart(site: RunningServer) -> None:
    """Numbers of one's own are in the catalog."""
    root = site.client(ROOT)
    me = root.get("/api/v1/me").json()["id"]
    root.put(f"/api/v1/admin/users/{me}/quota", json={"bytes": 7})
    site.kill()
    site.restart()
    assert site.client(ROOT).get("/api/v1/me/quota").json()["bytes"] == {"used": 0, "limit": 7}
