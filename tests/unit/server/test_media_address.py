"""Where players are sent for media, and settings of the port for media that cannot work."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from streamhost.config import InvalidSettings, load, media_url

PORT = {"server__media_port": "8001"}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, ""),
        (PORT, "http://127.0.0.1:8001"),
        (PORT | {"server__host": "192.0.2.7"}, "http://192.0.2.7:8001"),
        (PORT | {"server__host": "[::1]"}, "http://[::1]:8001"),
        (PORT | {"server__host": "::1"}, "http://[::1]:8001"),
        (PORT | {"server__host": "0.0.0.0", "server__public_url": "http://nas.lan:8000"}, "http://nas.lan:8001"),
        (PORT | {"server__host": "::", "server__public_url": "http://[2001:db8::1]:8000"}, "http://[2001:db8::1]:8001"),
        (PORT | {"server__public_url": "http://localhost:8000"}, "http://localhost:8001"),
        (
            PORT | {"server__public_url": "https://a.example", "server__media_url": "https://a.example"},
            "https://a.example",
        ),
        (PORT | {"server__host": "0.0.0.0", "server__media_url": "http://nas.lan:9"}, "http://nas.lan:9"),
        (
            PORT | {"server__public_url": "https://video.example.org", "server__media_url": "https://m.example.org"},
            "https://m.example.org",
        ),
    ],
)
def test_players_are_sent_where_they_reach_it(tmp_path: Path, given: Mapping[str, str], url: str) -> None:
    """Nowhere without such a port; else where the settings say, or under the name that the site is known by."""
    assert media_url(load(tmp_path, {}, **given).server) == url


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"server__media_url": "https://m.example.org"}, "server.media_url"),
        (PORT | {"server__host": "0.0.0.0"}, "server.media_url"),
        (PORT | {"server__host": "::"}, "server.media_url"),
        (PORT | {"server__public_url": "https://video.example.org"}, "server.media_url"),
        (
            PORT | {"server__public_url": "https://video.example.org", "server__media_url": "http://m.example.org"},
            "server.media_url",
        ),
        (PORT | {"server__media_url": "m.example.org"}, "server.media_url"),
        (PORT | {"server__media_url": "https://m.example.org/films"}, "server.media_url"),
        (PORT | {"server__media_url": "https://m.example.org?x"}, "server.media_url"),
        (PORT | {"server__media_url": "https://m.example.org;"}, "server.media_url"),
        (PORT | {"server__media_url": "http://vid\u00e9o.lan"}, "server.media_url"),
        (PORT | {"server__host": "0"}, "server.media_url"),
        (PORT | {"server__public_url": "http://nas.lan"}, "server.media_url"),
        (PORT | {"server__trusted_proxies": '["127.0.0.1/32"]'}, "server.media_url"),
        (PORT | {"server__host": "0.0.0.0", "server__public_url": "http://vid\u00e9o.lan:8000"}, "server.media_url"),
        (PORT | {"server__host": "0.0.0.0", "server__public_url": "http://[nas]:8000"}, "server.public_url"),
        (PORT | {"server__host": "0.0.0.0", "server__public_url": "http://[::1"}, "server.public_url"),
        (PORT | {"server__media_url": "http://:8001"}, "server.media_url"),
        ({"server__public_url": "http://:8000"}, "server.public_url"),
        ({"server__public_url": "http://nas.lan:0"}, "server.public_url"),
        ({"server__public_url": "http://nas.lan:80000"}, "server.public_url"),
        (PORT | {"server__port": "8001"}, "server.media_port"),
        (PORT | {"server__host": "unix:/run/site.sock"}, "server.media_port"),
        ({"server__media_port": "70000"}, "server.media_port"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, given: Mapping[str, str], named: str) -> None:
    """Before anything starts: no name to send players to, plain media under an encrypted page, no port of its own."""
    with pytest.raises(InvalidSettings) as caught:
        load(tmp_path, {}, **given)
    assert caught.value.detail.startswith(f"{named}: ")
