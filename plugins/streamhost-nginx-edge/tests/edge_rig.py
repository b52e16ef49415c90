"""A site with a real video, an edge of real nginx before it, and a log of what reached the site."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from streamhost.instance import Instance, Purpose, open_instance
from streamhost.model.clock import system_clock
from streamhost.model.grants import Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost_nginx_edge.edge import Purger, configuration
from tests.support.nginx import nginx
from tests.support.ports import free_port
from tests.support.server import Api, RunningServer

SECRET = "s" * 32
PULL_SECRET = "p" * 32
# Stands where the network between edge and site would be, and writes down what passes.
ROAD = """
  log_format road '$request_method $request_uri $status $http_x_forwarded_for';
  server {{
    listen 127.0.0.1:{port};
    access_log {root}/road.log road;
    location / {{
      proxy_pass {site};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
    }}
  }}
"""


@dataclass(frozen=True, slots=True)
class Edge:
    """The edge, the site behind it, and what was said between them."""

    url: str
    root: Path
    server: RunningServer
    instance: Instance

    @property
    def alice(self) -> Api:
        """Somebody who uploads."""
        return self.server.client("alice@example.org")

    @property
    def road(self) -> list[str]:
        """Every request that the edge has sent to the site."""
        return (self.root / "road.log").read_text().splitlines()

    @property
    def log(self) -> list[str]:
        """Every request that the edge has answered."""
        return (self.root / "edge.log").read_text().splitlines()

    def fetched(self, name: str) -> int:
        """How often the edge has fetched an object."""
        return sum(line.startswith("GET /o/videos/") and name in line for line in self.road)

    def grant(
        self,
        video: str,
        package: str,
        session: str = "somebodyssession",
        *,
        life: float = 600,
        flags: int = 0,
        origin: str | None = None,
    ) -> str:
        """A grant that the site believes, made beside it."""
        grants = Grants(self.instance.keys.ring(Purpose.GRANTS), system_clock, life)
        return grants.issue(VideoId(video), PackageId(package), SessionId(session), flags=flags, origin=origin)[0]

    def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Ask the edge."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.request(method, self.url + path, headers=named, timeout=60)

    def store(self, key: str, content: bytes) -> None:
        """Lay an object into the site's storage."""
        path = self.server.data / "media" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    root = tmp_path_factory.mktemp("edge")
    server = RunningServer(
        root / "data", STREAMHOST_CDN_PULL_SECRET=PULL_SECRET, STREAMHOST_SERVER_TRUSTED_PROXIES="127.0.0.1/32"
    ).start()
    server.add_user("alice@example.org")
    front, road = free_port(), free_port()
    socket = str(root / "purger.sock")
    config = configuration(
        f"http://127.0.0.1:{road}",
        "127.0.0.1",
        SECRET,
        PULL_SECRET,
        listen=f"127.0.0.1:{front}",
        cache=str(root / "cache"),
        log=str(root / "edge.log"),
        purger=socket,
    )
    (root / "cache").mkdir()
    purger = Purger(socket, root / "cache" / "media", SECRET)
    threading.Thread(target=purger.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    inside = config + ROAD.format(port=road, root=root, site=server.url)
    try:
        with nginx(root, inside, front, road):
            yield Edge(f"http://127.0.0.1:{front}", root, server, open_instance(server.data))
    finally:
        purger.shutdown()
        purger.server_close()
        server.stop()
