"""`streamhost doctor` beside a running site behind a real nginx: what is well is said, and what is wrong is found."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import ROOT
from tests.support.command import document, run
from tests.support.nginx import nginx
from tests.support.ports import free_port
from tests.support.server import RunningServer, until

GOOD = """
    client_max_body_size 0;
    location / {{
      proxy_pass {upstream}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_request_buffering off;
    }}
"""
THOUGHTLESS = """
    client_body_timeout 30s;
    location / {{ proxy_pass {upstream}; proxy_ignore_headers X-Accel-Buffering; }}
"""
CAREFUL_BUT_SLOW = GOOD.replace("proxy_request_buffering off;", "")
SIGNED_IN = GOOD.replace(
    "proxy_set_header Host", 'proxy_set_header Authorization "Bearer {token}"; proxy_set_header Host'
)
OPEN = (
    GOOD
    + """
    location /media/ {{ alias {media}/; }}
"""
)


@dataclass
class Front:
    """A site whose public address is nginx's."""

    server: RunningServer
    port: int
    settings: dict[str, str]
    folder: Path

    def nginx(self, inside: str, token: str = "") -> AbstractContextManager[object]:
        """In front of the server, with this configuration."""
        block = inside.format(upstream=self.server.url, media=self.server.data / "media", token=token)
        return nginx(self.folder, f"server {{ listen 127.0.0.1:{self.port}; {block} }}", self.port)

    def doctor(self, *words: str, code: int, **more: str) -> dict[str, tuple[str, str]]:
        """Level and detail of every line, by its name."""
        done = run("doctor", "--json", "--data", str(self.server.data), *words, env={**self.settings, **more})
        lines: list[dict[str, Any]] = document(done, code)["lines"]
        return {line["name"]: (line["level"], line["detail"]) for line in lines}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """Without a proxy so far."""
    folder, port, media_port = tmp_path_factory.mktemp("front"), free_port(), free_port()
    settings = {
        "STREAMHOST_SERVER_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "STREAMHOST_SERVER_TRUSTED_PROXIES": '["127.0.0.1/32"]',
        "STREAMHOST_UPLOADS_KEEP_FREE": "0",
        "STREAMHOST_SERVER_MEDIA_PORT": str(media_port),
        "STREAMHOST_SERVER_MEDIA_URL": f"http://127.0.0.1:{media_port}",
    }
    server = RunningServer(folder / "data", **settings).start()
    server.add_user("root@example.org", "admin")
    yield Front(server, port, settings, folder)
    server.stop()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is taken for silent because the machine is busy."""
    for name in ("PATIENCE", "UNHEARD"):
        monkeypatch.setattr(f"streamhost.cli.doctor.asking.{name}", 60.0)


def test_a_site_that_is_well(front: Front) -> None:
    """Everything that can be looked at is, nothing is left behind, and the proof that a private segment is refused is
    made at the server, through the proxy and at the port for media."""
    with front.nginx(GOOD):
        lines = front.doctor(code=0)
    well = {name for name, (level, _) in lines.items() if level == "ok"}
    assert {"versions", "secrets", "encoders", "keys", "storage", "server", "proxy", "events", "visitors"} <= well
    assert {"uploads", "privacy", "privacy by proxy", "privacy by port"} <= well
    assert not front.server.client("root@example.org").get("/api/v1/admin/overview").json()["videos"]
    assert lines["mail"][0] == lines["backups"][0] == "warn"
    assert not any((front.server.data / "media" / "videos").rglob("*"))


def test_a_thoughtless_proxy(front: Front) -> None:
    """One that refuses uploads, keeps events back, loses the name, and believes what visitors say of themselves."""
    with front.nginx(THOUGHTLESS):
        lines = front.doctor(code=1)
    assert {name for name, (level, _) in lines.items() if level == "fail"} == {"uploads", "events", "host", "visitors"}
    assert lines["privacy by proxy"][0] == "ok"


def test_a_proxy_that_collects_uploads(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lets large bodies through, but only when it has all of them."""
    monkeypatch.setattr("streamhost.cli.doctor.asking.UNHEARD", 2.0)
    with front.nginx(CAREFUL_BUT_SLOW):
        lines = front.doctor(code=0)
    assert lines["uploads"][0] == "warn" and "breaks off" in lines["uploads"][1]


def test_a_port_for_media_that_leads_nowhere(front: Front) -> None:
    """Players would be sent there: it does not work, and the settings that say so are named."""
    lines = front.doctor(code=1, STREAMHOST_SERVER_MEDIA_URL=f"http://127.0.0.1:{free_port()}")
    assert lines["privacy"][0] == "ok"
    assert lines["privacy by port"][0] == "fail" and "cannot be asked" in lines["privacy by port"][1]


def test_a_leak_is_found(front: Front) -> None:
    """Where something in front hands out the files themselves, the proof fails, and says by which way."""
    with front.nginx(OPEN):
        lines = front.doctor(code=1)
    assert lines["privacy"][0] == "ok"
    assert lines["privacy by proxy"][0] == "fail" and "folder of media" in lines["privacy by proxy"][1]


def test_a_proxy_that_signs_everybody_in(front: Front) -> None:
    """Where the one in front asks in the name of an administrator, strangers get permissions to play: found, too."""
    token = front.server.client("root@example.org").headers["Authorization"].removeprefix("Bearer ")
    with front.nginx(SIGNED_IN, token):
        lines = front.doctor(code=1)
    assert lines["privacy"][0] == "ok"
    assert lines["privacy by proxy"] == ("fail", "The API for strangers is let in (200).")


@pytest.mark.parametrize("program", ["nginx", "caddy"])
def test_proxies_of_the_example(front: Front, program: str, tmp_path: Path) -> None:
    """Both configurations of examples/behind-nginx, run as they stand but for the ports: nothing is wrong."""
    name, words = (
        ("nginx.conf", ["-p", str(tmp_path), "-c"]) if program == "nginx" else ("Caddyfile", ["run", "--config"])
    )
    text = (ROOT / "examples" / "behind-nginx" / name).read_text("utf-8")
    for known, here in (("127.0.0.1:8080", f"127.0.0.1:{front.port}"), ("127.0.0.1:8000", front.server.url[7:])):
        assert known in text
        text = text.replace(known, here)
    (tmp_path / name).write_text(text)
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    options = [*words, str(tmp_path / name), *(["--adapter", "caddyfile"] if program == "caddy" else [])]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([program, *options], env=environment, stdout=log, stderr=log)
    try:
        until(lambda: _answers(front.port) or process.poll() is not None)
        assert process.poll() is None, (tmp_path / "log").read_text()
        lines = front.doctor(code=0)
    finally:
        process.terminate()
        process.wait(60)
    for looked in ("proxy", "events", "visitors", "uploads", "privacy by proxy"):
        assert lines[looked][0] == "ok", lines[looked]


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_what_is_not_there(front: Front, tmp_path: Path) -> None:
    """No proxy, no mail server, no bucket, no room: each has its line. Where there is no site nothing is made."""
    wrong = {"STREAMHOST_MAIL_HOST": "127.0.0.1", "STREAMHOST_MAIL_PORT": str(free_port()),
             "STREAMHOST_MAIL_SENDER": "a@example.org", "STREAMHOST_UPLOADS_KEEP_FREE": str(2**60),
             "STREAMHOST_BACKUP_TO": str(tmp_path / "none")}  # fmt: skip
    lines = front.doctor(code=1, **wrong)
    assert {name for name, (level, _) in lines.items() if level == "fail"} == {"mail", "disk"}
    assert lines["proxy"][0] == lines["backups"][0] == "warn"
    assert lines["privacy by proxy"][0] == "skip"
    (front.server.data / "secrets.json").chmod(0o644)
    try:
        assert front.doctor(code=1)["secrets"][0] == "fail"
    finally:
        (front.server.data / "secrets.json").chmod(0o600)
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run("doctor", "--data", str(empty), env={"STREAMHOST_UPLOADS_KEEP_FREE": "0"})
    assert "There is no site" in done.output and list(empty.iterdir()) == []
