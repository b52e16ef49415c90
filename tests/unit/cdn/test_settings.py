"""The settings of the CDN: half of a set-up is refused before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from streamhost.config import InvalidSettings, load
from streamhost.host import assemble
from streamhost.host_cdn import window_of
from streamhost.model.cdn import Way
from tests.support.catalogs import instance_at

PULL = {"cdn__kind": "pull", "cdn__base_url": "https://cdn.example.org"}
LINK = {"cdn__kind": "secure_link", "cdn__base_url": "https://cdn.example.org/media", "cdn__link_secret": "secret"}


@pytest.mark.parametrize("given", [PULL, LINK, PULL | {"cdn__push": "true"}, {}])
def test_what_fits_together_is_fine(tmp_path: Path, given: Mapping[str, str]) -> None:
    """Each kind with what it needs."""
    assert load(tmp_path, {}, **given).cdn.kind == given.get("cdn__kind", "origin")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"cdn__kind": "pull"}, "cdn.base_url"),
        ({"cdn__kind": "secure_link", "cdn__base_url": "https://cdn.example.org"}, "cdn.link_secret"),
        ({"cdn__base_url": "https://cdn.example.org"}, "cdn.base_url"),
        (PULL | {"cdn__link_secret": "a secret thing"}, "cdn.link_secret"),
        ({"cdn__push": "true"}, "cdn.push"),
        (PULL | {"cdn__purge_token": "a secret thing"}, "cdn.purge_token"),
        ({"cdn__kind": "cloudfront", "cdn__purge_url": "https://cdn.example.org/purge"}, "cdn.purge_url"),
        (PULL | {"cdn__base_url": "ftp://cdn.example.org"}, "cdn.base_url"),
        (PULL | {"cdn__base_url": "https://cdn.example.org/?x=1"}, "cdn.base_url"),
        (PULL | {"cdn__pull_secret": "short"}, "cdn.pull_secret"),
        (PULL | {"cdn__url_minutes": "0"}, "cdn.url_minutes"),
    ],
)
def test_half_a_set_up_is_refused(tmp_path: Path, given: Mapping[str, str], named: str) -> None:
    """With the name of the setting, and without the secret."""
    with pytest.raises(InvalidSettings) as caught:
        load(tmp_path, {}, **given)
    assert caught.value.detail.startswith(f"{named}: ")
    assert "a secret thing" not in caught.value.detail


@pytest.mark.parametrize(("kind", "hint"), [("secure-link", "secure_link"), ("akamai", "origin, pull, secure_link")])
async def test_a_kind_that_nobody_brings(tmp_path: Path, kind: str, hint: str) -> None:
    """The start says what there is."""
    with pytest.raises(InvalidSettings) as caught:
        await assemble(load(tmp_path, {}, cdn__kind=kind), instance_at(tmp_path))
    assert hint in caught.value.detail


async def test_players_stay_here_or_are_sent_on(tmp_path: Path) -> None:
    """Without a CDN pages load media from nowhere else; with one they are sent there, and only there."""
    for number, (given, way, site) in enumerate(
        (({}, Way.DIRECT, ""), (LINK, Way.REDIRECT, "https://cdn.example.org"))
    ):
        data = tmp_path / str(number)
        host = await assemble(load(data, {}, **given), instance_at(data))
        assert (await host.copies.overview()).way is way
        assert host.addresses.sends_on is (way is Way.REDIRECT)
        assert (host.addresses.site, host.addresses.stream_root) == (site, "")
        await host.close()


def test_no_address_outlives_a_permission(tmp_path: Path) -> None:
    """Otherwise an address of before a video was closed could come to life again."""
    settings = load(tmp_path, {}, **PULL, cdn__url_minutes="600", playback__grant_minutes="60")
    assert 2 * window_of(settings) <= 60 * 60
