"""The guide to a proxy in front, tried as it stands: nginx runs the configuration that the page shows."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from streamhost.instance import Purpose, open_instance
from streamhost.model.clock import system_clock
from streamhost.model.grants import Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.videos import package_prefix
from tests.protocol.test_delivery_elsewhere import wait_for
from tests.support.ports import free_port
from tests.support.server import Api, RunningServer
from tests.support.tus import append, begin, content, offset

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "reverse-proxy.md"
VIDEO, PACKAGE, SESSION = VideoId("guidedvideo00001"), PackageId("guidedpackage001"), SessionId("somebodyssession")
NAME = "v720/0.m4s"
CONTENT = bytes(range(256)) * 5000
MORE_THAN_NGINX_TAKES = 3_000_000
"""Bytes; by itself nginx refuses bodies over 1 MiB."""
AROUND = """
daemon off; master_process off; pid {root}/nginx.pid; error_log {root}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {root}/b; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u;
  scgi_temp_path {root}/s;
  {server}
}}
"""


def configuration(port: int, upstream: str, media: Path) -> str:
    """The `server` block of the page with both locations: here, without TLS."""
    whole, handing_over = re.findall(r"```nginx\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    block = f"{whole.rstrip().removesuffix('}')}{handing_over}}}"
    for line, here in (
        (r"listen 443 ssl;", f"listen 127.0.0.1:{port};"),
        (r"ssl_certificate[^;]*;", ""),
        (r"http://127\.0\.0\.1:8000", upstream),
        (r"/srv/videos/media/", f"{media}/"),
    ):
        block, found = re.subn(line, here, block)
        assert found, line
    return block


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with the settings of the page behind nginx; `url` is nginx's."""
    root, port = tmp_path_factory.mktemp("proxy"), free_port()
    front = f"http://127.0.0.1:{port}"
    server = RunningServer(
        root / "data",
        STREAMHOST_SERVER_OFFLOAD="x-accel-redirect",
        STREAMHOST_SERVER_TRUSTED_PROXIES='["127.0.0.1/32"]',
    ).start()
    server.add_user("alice@example.org")
    server.add_user("bob@example.org")
    config = root / "nginx.conf"
    config.write_text(AROUND.format(root=root, server=configuration(port, server.url, server.data / "media")))
    proxy = subprocess.Popen(["nginx", "-c", str(config), "-p", str(root), "-e", str(root / "nginx.log")])
    try:
        server.url = front
        wait_for(front)
        yield server
    finally:
        proxy.terminate()
        proxy.wait(60)
        server.stop()


def test_uploads_pass_through(site: RunningServer) -> None:
    """More bytes than nginx takes by itself arrive, and the server knows how far they are."""
    alice = site.client("alice@example.org")
    address = begin(alice, MORE_THAN_NGINX_TAKES * 2)
    assert append(alice, address, 0, content(MORE_THAN_NGINX_TAKES)).status_code == 204
    assert offset(alice, address) == MORE_THAN_NGINX_TAKES


def test_visitors_are_told_apart(site: RunningServer) -> None:
    """What nginx hands on counts: here this test plays one more trusted proxy, before which stands the visitor."""
    bob = Api(site.url)
    bob.headers["X-Forwarded-For"] = "203.0.113.7"
    bob.sign_in("bob@example.org", "correct horse battery")
    addresses = {session["address"] for session in bob.get("/api/v1/auth/sessions").json()["items"]}
    assert addresses == {"203.0.113.7"}


def test_segments_are_sent_by_nginx(site: RunningServer) -> None:
    """By a grant, with the headers that players need; and never without one."""
    file = site.data / "media" / package_prefix(VIDEO, PACKAGE) / NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    grants = Grants(open_instance(site.data).keys.ring(Purpose.GRANTS), system_clock, 600)
    address = f"{site.url}/s/{grants.issue(VIDEO, PACKAGE, SESSION)[0]}/{VIDEO}/{NAME}"
    answer = httpx.get(address)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    for name, value in (
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-content-type-options", "nosniff"),
    ):
        assert answer.headers.get_list(name) == [value]
    assert httpx.get(f"{site.url}/_streamhost/{package_prefix(VIDEO, PACKAGE)}{NAME}").status_code == 404
    assert httpx.get(address.replace("/s/", "/s/A")).status_code == 403
