"""Settings changed over HTTP, and how the site looks from then on: pages, mails, feeds, embeds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import feedparser
import httpx
import pytest
from PIL import Image

from streamhost.model.branding import on_light
from streamhost.model.videos import Visibility
from tests.support.house import House, a_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running house."""
    async with a_house(tmp_path) as running:
        yield running


def written(house: House) -> dict[str, dict[str, object]]:
    """What stands in the settings file."""
    return tomllib.loads((house.host.settings.data / "streamhost.toml").read_text())


def picture(colour: str = "red") -> bytes:
    """A PNG that is to be a logo."""
    file = BytesIO()
    Image.new("RGBA", (300, 100), colour).save(file, "PNG")
    return file.getvalue()


async def test_changed_and_written_down(house: House) -> None:
    """A change is in the file, in the log of what was done, and in the answer; secrets are in the file alone."""
    root = await house.bearer("root")
    async with house.client() as client:
        before = (await client.get("/api/v1/admin/settings", headers=root)).json()
        order = {"set": {"uploads.quota_videos": 9, "mail.password": "hunter2"}, "version": before["version"]}
        answer = await client.patch("/api/v1/admin/settings", json=order, headers=root)
        assert answer.status_code == 200, answer.text
        after = {item["key"]: item for item in answer.json()["items"]}
        assert (after["uploads.quota_videos"]["value"], after["uploads.quota_videos"]["waits"]) == (9, True)
        assert after["mail.password"]["value"] is True
        assert written(house) == {"uploads": {"quota_videos": 9}, "mail": {"password": "hunter2"}}
        log = await client.get("/api/v1/admin/audit?act=setting_changed", headers=root)
        details = [entry["details"] for entry in log.json()["items"]]
        assert {"setting": "uploads.quota_videos", "before": "0", "after": "9"} in details
        assert {"setting": "mail.password", "before": '""', "after": '"[redacted]"'} in details
        stale = await client.patch("/api/v1/admin/settings", json=order, headers=root)
        assert (stale.status_code, stale.json()["code"]) == (409, "settings_changed")
        wrong = await client.patch("/api/v1/admin/settings", json={"set": {"media.crf": 99}}, headers=root)
        assert wrong.json()["errors"] == {"media.crf": "It must be a whole number from 0 to 51."}
        far = await client.patch("/api/v1/admin/settings", json={"set": {"server.port": 1}}, headers=root)
        assert (far.status_code, far.json()["code"]) == (403, "setting_not_here")
        everything = answer.text + log.text + wrong.text
    assert "hunter2" not in everything


async def _pages(house: House, client: httpx.AsyncClient, video: str) -> dict[str, str]:
    paths = {"home": "/", "watch": f"/watch/{video}", "embed": f"/embed/{video}", "sign in": "/login"}
    return {name: (await client.get(path)).text for name, path in paths.items()}


async def test_the_brand_is_everywhere_at_once(house: House) -> None:
    """Name, colour and logo are on every page, in feeds, oEmbed and the manifest, without a restart."""
    root, colour = await house.bearer("root"), "#ffd400"
    film = await house.video(visibility=Visibility.PUBLIC)
    address = f"http://site.test/watch/{film.id}"
    async with house.client() as client:
        order = {"set": {"server.site_name": "Kino <Am Eck>", "server.accent": colour}}
        assert (await client.patch("/api/v1/admin/settings", json=order, headers=root)).json()["waiting"] is False
        logo = await client.put("/api/v1/admin/logo", files={"file": ("logo.png", picture())}, headers=root)
        assert logo.json()["width"] == 300
        for name, page in (await _pages(house, client, film.id)).items():
            assert "Kino &lt;Am Eck&gt;" in page, name
            assert re.search(r'rel="stylesheet" href="/brand\.css\?v=ffd400"', page), name
            assert logo.json()["url"].rpartition("/")[0] in page, name
            assert "style=" not in page, name
        styles = await client.get("/brand.css?v=ffd400")
        assert styles.headers["content-type"].startswith("text/css")
        assert f"--accent: light-dark({on_light(colour).accent}, {colour})" in styles.text
        same = await client.get("/brand.css", headers={"If-None-Match": styles.headers["etag"]})
        assert same.status_code == 304
        shown = await client.get(logo.json()["url"])
        assert "immutable" in shown.headers["cache-control"]
        assert Image.open(BytesIO(shown.content)).size == (300, 100)
        manifest = (await client.get("/site.webmanifest")).json()
        assert manifest["name"] == "Kino <Am Eck>"
        assert {icon["sizes"] for icon in manifest["icons"]} == {"192x192", "512x512"}
        assert (await client.get(f"/oembed?url={address}")).json()["provider_name"] == "Kino <Am Eck>"
        feed = feedparser.parse((await client.get("/feeds/videos.atom")).text)
        assert (feed.feed.title, feed.feed.logo) == ("Kino <Am Eck>", f"http://site.test{logo.json()['url']}")
        assert "<url>http://site.test/brand/" in (await client.get("/feeds/videos.rss")).text
        assert (await client.delete("/api/v1/admin/logo", headers=root)).status_code == 204
        assert "/brand/" not in (await client.get("/login")).text
        assert (await client.get(logo.json()["url"])).status_code == 404


async def test_a_logo_that_is_none(house: House) -> None:
    """A drawing with a script in it is refused, and nothing of it is kept."""
    root = await house.bearer("root")
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    async with house.client() as client:
        answer = await client.put("/api/v1/admin/logo", files={"file": ("logo.svg", drawing)}, headers=root)
        assert (answer.status_code, answer.json()["code"]) == (422, "not_picture")
        assert (await client.get("/api/v1/admin/logo", headers=root)).json()["url"] is None


async def test_the_logo_is_there_after_a_restart(house: House) -> None:
    """It lies in the catalog, and so in every backup of it."""
    async with house.client() as client:
        root = await house.bearer("root")
        files = {"file": ("logo.png", picture("blue"))}
        url = (await client.put("/api/v1/admin/logo", files=files, headers=root)).json()["url"]
        first = (await client.get(url)).content
        host = house.host
        host.branding.brand.logo = None
        await host.branding.start()
        assert (await client.get(url)).content == first
