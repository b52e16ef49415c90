"""`streamhost keys` beside a running server: nobody's film is broken off, and a leaked key can be made worthless."""

from __future__ import annotations

import time
from pathlib import Path

import httpx

from streamhost.instance import open_instance
from streamhost.keyrings import Keyrings, Ring
from streamhost.model.clock import system_clock
from streamhost.model.grants import Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from tests.support.command import document, run
from tests.support.server import RunningServer

VIDEO = VideoId("film")
PATIENCE = 240.0


def keys(server: RunningServer, *words: str) -> dict[str, object]:
    """Run the command with `--json`; its answer. Nothing that it prints is a secret."""
    done = run("keys", *words, "--json", "--data", str(server.data))
    rings = Keyrings(open_instance(server.data))
    for ring in Ring:
        assert not any(key.secret.hex() in done.stdout + done.stderr for key in rings.ring(ring).keys)
    answer: dict[str, object] = document(done)
    return answer


def grant_now(server: RunningServer) -> str:
    """The address of a file by a grant that is signed with the key in use now. There is no such file."""
    ring = Keyrings(open_instance(server.data)).ring(Ring.GRANTS)
    grants = Grants(ring.secrets(time.time()), system_clock, 600, signs=ring.current.id)
    return f"{server.url}/s/{grants.issue(VIDEO, PackageId('set'), SessionId('me'))[0]}/{VIDEO}/master.m3u8"


def wait_for(url: str, status: int) -> None:
    """Wait until a request is answered so."""
    deadline = time.monotonic() + PATIENCE
    while httpx.get(url).status_code != status:
        assert time.monotonic() < deadline, f"never {status}"
        time.sleep(0.1)


def test_rotation_beside_a_running_server(server: RunningServer) -> None:
    """The new key is taken up, the old one goes on; `--at-once` ends what is out, also what was just asked for."""
    old = grant_now(server)
    assert httpx.get(old).status_code == 404, "good grant, no such file"
    assert keys(server, "rotate") == {"grants": 2, "wrapping": 2, "wrapped": 0}
    new = grant_now(server)
    wait_for(new, 404)
    assert httpx.get(old).status_code == 404
    listed = keys(server, "list")
    grants = listed["grants"]
    assert isinstance(grants, list) and [(key["id"], key["until"] is None) for key in grants] == [(1, False), (2, True)]
    keys(server, "rotate", "--at-once")
    wait_for(old, 403)
    assert httpx.get(new).status_code == 403
    wait_for(grant_now(server), 404)
    server.add_user("root@example.org", "admin")
    root = server.client("root@example.org")
    acts = root.get("/api/v1/admin/audit", params={"act": "keys_replaced"}).json()["items"]
    assert [act["details"]["old"] for act in acts] == ["at once", "as grants run out"]


def test_a_mistyped_data_directory_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    """Neither listing nor replacing makes an instance where no server has run: exit code 1, a named reason, no file."""
    for words in (["list"], ["rotate"], ["rotate", "--at-once"]):
        for folder in (tmp_path / "nowhere", tmp_path):
            done = run("keys", *words, "--data", str(folder))
            assert done.exit_code == 1
            assert "no catalog in that data directory" in done.stderr
            assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []
