"""Videos behind a password, links that open one for a time, and grants for one web site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamhost.db import share_links
from streamhost.model.accounts import ANONYMOUS
from streamhost.model.videos import Video, Visibility
from tests.support.house import SEGMENT, House, a_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A running house."""
    async with a_house(tmp_path / "data") as running:
        yield running


def soon(hours: float = 1) -> str:
    """A moment to come."""
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def locked(house: House) -> Video:
    """A video behind the password `open sesame`."""
    video = await house.video()
    async with house.client() as alice:
        answer = await alice.patch(
            f"/api/v1/videos/{video.id}",
            json={"visibility": "password", "password": "open sesame"},
            headers=await house.bearer("alice"),
        )
    assert (answer.status_code, answer.json()["visibility"]) == (200, "password")
    return video


async def unlocked(client: httpx.AsyncClient, video: Video, **proof: str) -> httpx.Response:
    """An attempt to open a video, without the cookie that comes of it."""
    answer = await client.post(f"/api/v1/videos/{video.id}/unlock", json=proof)
    client.cookies.clear()
    return answer


async def plays(client: httpx.AsyncClient, video: Video, headers: dict[str, str]) -> int:
    """The status with which a segment comes, from asking for a grant on."""
    stream = await client.get(f"/api/v1/stream/{video.id}", headers=headers)
    if stream.status_code != 200:
        return stream.status_code
    segment = await client.get(stream.json()["hls"].replace("master.m3u8", SEGMENT))
    return segment.status_code


async def link(house: House, video: Video, **wishes: Any) -> dict[str, Any]:
    """A link made by alice."""
    async with house.client() as alice:
        answer = await alice.post(
            f"/api/v1/videos/{video.id}/links",
            json={"expires_at": soon()} | wishes,
            headers=await house.bearer("alice"),
        )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_password_opens_the_video_and_nothing_less(house: House) -> None:
    """Nobody sees title, page data or a segment without it; with the pass all of it comes; the owner needs none."""
    video = await locked(house)
    async with house.client() as guest:
        for path in (f"/api/v1/videos/{video.id}", f"/api/v1/stream/{video.id}", f"/api/v1/videos/{video.id}/events"):
            answer = await guest.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "password_required")
            assert "A film" not in answer.text
        wrong = await unlocked(guest, video, password="open sesam")
        assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_video_password")
        given = await unlocked(guest, video, password="open sesame")
        assert given.status_code == 200
        headers = {"Streamhost-Pass": given.json()["pass"]}
        assert await plays(guest, video, headers) == 200
        shown = (await guest.get(f"/api/v1/videos/{video.id}", headers=headers)).json()
        assert shown["title"] == "A film"
        assert (await guest.get(shown["poster"])).status_code == 200
        assert await plays(guest, video, await house.bearer("alice")) == 200
        assert await plays(guest, video, await house.bearer("bob")) == 403
        assert (await guest.get("/api/v1/videos")).json()["items"] == []
        assert (await guest.get("/api/v1/search", params={"q": "film"})).json()["items"] == []


async def test_a_browser_keeps_the_pass_out_of_reach_of_scripts(house: House) -> None:
    """As an HttpOnly cookie for that video alone."""
    video = await locked(house)
    async with house.client() as guest:
        answer = await guest.post(f"/api/v1/videos/{video.id}/unlock", json={"password": "open sesame"})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"streamhost_pass_{video.id}=") and "HttpOnly" in cookie and "SameSite=lax" in cookie
        assert await plays(guest, video, {}) == 200


async def test_a_new_password_ends_what_the_old_one_opened(house: House) -> None:
    """Passes and grants that are out, at once; likewise when the video becomes private."""
    video = await locked(house)
    async with house.client() as guest:
        for change in ({"password": "another one"}, {"visibility": "private"}):
            word = "open sesame" if "password" in change else "another one"
            headers = {"Streamhost-Pass": (await unlocked(guest, video, password=word)).json()["pass"]}
            hls = (await guest.get(f"/api/v1/stream/{video.id}", headers=headers)).json()["hls"]
            assert (await guest.get(hls)).status_code == 200
            done = await guest.patch(f"/api/v1/videos/{video.id}", json=change, headers=await house.bearer("alice"))
            assert done.status_code == 200
            assert (await guest.get(hls)).json()["code"] == "grant_revoked"
            assert await plays(guest, video, headers) in (403, 404)


async def test_guessing_is_slow(house: House) -> None:
    """From one network ten at once; the right word is refused then too; other videos and other networks go on."""
    video, other = await locked(house), await locked(house)
    for number in range(10):
        with pytest.raises(Exception, match="not the password"):
            await house.host.sharing.unlock(video.id, f"guess {number}", ANONYMOUS, "192.0.2.1")
    with pytest.raises(Exception, match="Too many passwords"):
        await house.host.sharing.unlock(video.id, "open sesame", ANONYMOUS, "192.0.2.1")
    assert (await house.host.sharing.unlock(video.id, "open sesame", ANONYMOUS, "192.0.2.2")).text
    assert (await house.host.sharing.unlock(other.id, "open sesame", ANONYMOUS, "192.0.2.1")).text


async def test_right_passwords_are_not_counted_as_guesses(house: House) -> None:
    """A class behind one address comes in whole; ten wrong words still close the door."""
    video = await locked(house)
    for _ in range(15):
        assert (await house.host.sharing.unlock(video.id, "open sesame", ANONYMOUS, "192.0.2.1")).text
    for number in range(10):
        with pytest.raises(Exception, match="not the password"):
            await house.host.sharing.unlock(video.id, f"guess {number}", ANONYMOUS, "192.0.2.1")
    with pytest.raises(Exception, match="Too many passwords"):
        await house.host.sharing.unlock(video.id, "open sesame", ANONYMOUS, "192.0.2.1")


async def test_a_password_is_needed_where_one_is_asked_for(house: House) -> None:
    """No video goes behind a password that nobody has set, and the hash is never told."""
    video = await house.video()
    async with house.client() as alice:
        headers = await house.bearer("alice")
        path = f"/api/v1/videos/{video.id}"
        for change in ({"visibility": "password"}, {"visibility": "password", "password": "short"}):
            answer = await alice.patch(path, json=change, headers=headers)
            assert (answer.status_code, list(answer.json()["errors"])) == (422, ["password"])
        done = await alice.patch(path, json={"visibility": "password", "password": "long enough"}, headers=headers)
        assert "argon2" not in done.text


async def test_a_link_opens_a_private_video_until_it_is_taken_back(house: House) -> None:
    """For whoever holds it; nobody else; and what plays by it ends when the owner says so."""
    video = await house.video()
    made = await link(house, video, note="for grandma")
    token = made["url"].partition("?link=")[2]
    async with house.client() as guest:
        assert await plays(guest, video, {}) == 404
        headers = {"Streamhost-Pass": (await unlocked(guest, video, link=token)).json()["pass"]}
        assert await plays(guest, video, headers) == 200
        hls = (await guest.get(f"/api/v1/stream/{video.id}", headers=headers)).json()["hls"]
        alice = await house.bearer("alice")
        listed = (await guest.get(f"/api/v1/videos/{video.id}/links", headers=alice)).json()["items"]
        assert [(one["id"], one["uses"], one["note"]) for one in listed] == [(made["id"], 1, "for grandma")]
        gone = await guest.delete(f"/api/v1/videos/{video.id}/links/{made['id']}", headers=alice)
        assert gone.status_code == 204
        assert (await guest.get(hls)).json()["code"] == "grant_revoked"
        assert await plays(guest, video, headers) == 404
        assert (await unlocked(guest, video, link=token)).json()["code"] == "share_link_over"


async def test_a_link_that_was_taken_back_stays_so_across_a_restart(tmp_path: Path) -> None:
    """The next server refuses the grants too."""
    async with a_house(tmp_path / "data") as house:
        video = await house.video()
        made = await link(house, video)
        async with house.client() as guest:
            given = (await unlocked(guest, video, link=made["url"].partition("?link=")[2])).json()["pass"]
            hls = (await guest.get(f"/api/v1/stream/{video.id}", headers={"Streamhost-Pass": given})).json()["hls"]
        owner = await house.host.accounts.viewer_of_bearer((await house.bearer("alice"))["Authorization"][7:])
        await house.host.sharing.revoke_link(video.id, owner, made["id"])
        host = house.host
        host.grants.revocations._moments.clear()
        await host.sharing.start(3600)
        async with house.client() as guest:
            assert (await guest.get(hls)).json()["code"] == "grant_revoked"


async def test_a_link_is_used_up(house: House) -> None:
    """A link for two opens twice; who came in stays in; the third hears that it is over."""
    video = await house.video()
    token = (await link(house, video, max_uses=2))["url"].partition("?link=")[2]
    async with house.client() as guest:
        first = await unlocked(guest, video, link=token)
        assert (await unlocked(guest, video, link=token)).status_code == 200
        assert (await unlocked(guest, video, link=token)).status_code == 410
        assert await plays(guest, video, {"Streamhost-Pass": first.json()["pass"]}) == 200


async def test_a_grant_by_a_link_ends_with_the_link(house: House) -> None:
    """However long grants live otherwise."""
    video = await house.video()
    made = await link(house, video, expires_at=soon(0.1))
    async with house.client() as guest:
        given = await unlocked(guest, video, link=made["url"].partition("?link=")[2])
        stream = await guest.get(f"/api/v1/stream/{video.id}", headers={"Streamhost-Pass": given.json()["pass"]})
        assert stream.json()["grant_expires_at"] <= given.json()["expires_at"] <= made["expires_at"]


async def test_passes_open_one_video_in_one_session(house: House) -> None:
    """A pass of bob's session is worth nothing in another; one for another video, a forged one, none."""
    video, other = await locked(house), await locked(house)
    bob, again = await house.bearer("bob"), await house.bearer("bob")
    async with house.client() as guest:
        answer = await guest.post(f"/api/v1/videos/{video.id}/unlock", json={"password": "open sesame"}, headers=bob)
        guest.cookies.clear()
        text = answer.json()["pass"]
        shown = {"Streamhost-Pass": text}
        assert await plays(guest, video, bob | shown) == 200
        assert await plays(guest, video, again | shown) == 403
        assert await plays(guest, video, shown) == 403
        assert await plays(guest, other, bob | shown) == 403
        last = text[:-1] + ("A" if text[-1] != "A" else "B")
        for forged in (text.replace(video.id, other.id), last, text.replace("p.", "l.", 1), "", "x" * 5000):
            assert await plays(guest, other, bob | {"Streamhost-Pass": forged}) == 403


async def test_links_are_for_the_owner_to_make(house: House) -> None:
    """Sensible ends and numbers only; nobody else makes, sees or takes back any, also not of a public video."""
    video = await house.video(visibility=Visibility.PUBLIC)
    async with house.client() as client:
        alice, bob = await house.bearer("alice"), await house.bearer("bob")
        path = f"/api/v1/videos/{video.id}/links"
        wrong: list[dict[str, Any]] = [
            {"expires_at": soon(-1)},
            {"expires_at": "tomorrow"},
            {"expires_at": soon(10**6)},
        ]
        wrong += [{"expires_at": soon(), "max_uses": 0}, {"expires_at": soon(), "note": "x" * 201}]
        for wishes in wrong:
            assert (await client.post(path, json=wishes, headers=alice)).status_code == 422, wishes
        assert (await client.post(path, json={"expires_at": soon()}, headers=bob)).status_code == 403
        assert (await client.get(path, headers=bob)).status_code == 403
        foreign = await link(house, await house.video())
        assert (await client.delete(f"{path}/{foreign['id']}", headers=alice)).status_code == 404


async def test_a_grant_for_one_site_plays_there_alone(house: House) -> None:
    """`embed_origins` says which sites may be asked for; the browser's word says which one asks."""
    video = await house.video(visibility=Visibility.UNLISTED)
    async with house.client() as client:
        path, site = f"/api/v1/videos/{video.id}", "https://blog.example"
        bad = await client.patch(
            path, json={"embed_origins": ["blog.example", "https://x/y"]}, headers=await house.bearer("alice")
        )
        assert (bad.status_code, list(bad.json()["errors"])) == (422, ["embed_origins"])
        stream = f"/api/v1/stream/{video.id}"
        assert (await client.get(stream, params={"origin": site})).json()["code"] == "origin_not_allowed"
        done = await client.patch(path, json={"embed_origins": [f"{site}/", site]}, headers=await house.bearer("alice"))
        assert done.json()["embed_origins"] == [site]
        segment = (await client.get(stream, params={"origin": site})).json()["hls"].replace("master.m3u8", SEGMENT)
        for headers in ({"Origin": site}, {"Referer": f"{site}/a/post"}):
            assert (await client.get(segment, headers=headers)).status_code == 200
        refused: list[dict[str, str]] = [{}, {"Origin": "https://evil.example"}, {"Referer": f"{site}.evil.example/"}]
        refused += [{"Origin": "https://evil.example", "Referer": f"{site}/"}, {"Referer": "https://[blog.example"}]
        for headers in refused:
            answer = await client.get(segment, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "wrong_origin")


async def test_a_site_that_is_struck_off_plays_no_longer(house: House) -> None:
    """What was given out for its pages ends at once; a site more ends nothing."""
    video = await house.video(visibility=Visibility.UNLISTED)
    async with house.client() as client:
        path, site, other = f"/api/v1/videos/{video.id}", "https://blog.example", "https://news.example"

        async def allow(*sites: str) -> None:
            done = await client.patch(path, json={"embed_origins": sites}, headers=await house.bearer("alice"))
            assert done.status_code == 200

        await allow(site)
        stream = (await client.get(f"/api/v1/stream/{video.id}", params={"origin": site})).json()
        segment = stream["hls"].replace("master.m3u8", SEGMENT)
        await allow(site, other)
        assert (await client.get(segment, headers={"Origin": site})).status_code == 200
        await allow(other)
        assert (await client.get(segment, headers={"Origin": site})).json()["code"] == "grant_revoked"


async def test_links_that_are_long_over_are_forgotten(house: House) -> None:
    """What expired or was taken back before a moment goes; what still opens something stays."""
    video = await house.video()
    owner = await house.host.accounts.viewer_of_bearer((await house.bearer("alice"))["Authorization"][7:])
    kept, revoked = await link(house, video), await link(house, video)
    await house.host.sharing.revoke_link(video.id, owner, revoked["id"])
    now = house.host.clock()
    async with house.host.db.write() as conn:
        assert await share_links.delete_ended(conn, now - 60) == 0
        assert await share_links.delete_ended(conn, now + 60) == 1
        assert [one.id for one in await share_links.of_video(conn, video.id)] == [kept["id"]]
        assert await share_links.delete_ended(conn, now + 7200) == 1


async def test_the_form_for_links_takes_plain_numbers_alone(house: House) -> None:
    """What Unicode calls a digit but is no number is refused in words, like letters."""
    video = await house.video()
    async with house.client() as alice:
        for uses, status in (("²", 422), ("many", 422), ("0", 422), ("", 303), ("2", 303)):
            form = {"days": "7", "uses": uses, "note": ""}
            answer = await alice.post(f"/studio/{video.id}/links", data=form, headers=await house.bearer("alice"))
            assert answer.status_code == status, (uses, answer.text)


async def test_who_is_in_opens_the_link_again_for_nothing(house: House) -> None:
    """A link for one use takes its reader on to the video each time, without another use; a stranger is too late."""
    video = await house.video()
    made = await link(house, video, max_uses=1)
    async with house.client() as guest, house.client() as late:
        assert (await guest.get(made["url"])).status_code == 200
        token = made["url"].partition("?link=")[2]
        assert (await guest.post(f"/api/v1/videos/{video.id}/unlock", json={"link": token})).status_code == 200
        for _ in range(2):
            again = await guest.get(made["url"])
            assert (again.status_code, again.headers["location"]) == (303, f"/watch/{video.id}")
        assert (await guest.get(f"/watch/{video.id}")).status_code == 200
        assert (await late.get(made["url"])).status_code == 410


async def test_sites_are_named_on_the_edit_page(house: House) -> None:
    """One a line; a wrong one is said at the field, which keeps what was typed; the form beside the player has none."""
    video = await house.video()
    async with house.client() as client:
        headers, path = await house.bearer("alice"), f"/studio/{video.id}"

        async def saved(status: int, **fields: str) -> str:
            form = {"title": "A film", "description": "", "visibility": "private", **fields}
            answer = await client.post(path, data=form, headers=headers)
            assert answer.status_code == status, answer.text
            return answer.text

        async def allowed() -> list[str]:
            found: list[str] = (await client.get(f"/api/v1/videos/{video.id}", headers=headers)).json()["embed_origins"]
            return found

        await saved(303, embed_origins="https://blog.example/\r\n\r\n  https://News.example https://blog.example")
        assert await allowed() == ["https://blog.example", "https://news.example"]
        assert "https://blog.example\nhttps://news.example</textarea>" in (await client.get(path, headers=headers)).text
        await saved(303, title="Another title")
        assert await allowed() == ["https://blog.example", "https://news.example"]
        page = await saved(422, embed_origins="https://blog.example\r\nblog.example/<b>")
        assert "https://blog.example\nblog.example/&lt;b&gt;</textarea>" in page
        assert 'id="f-embed-origins-error"' in page
        assert await allowed() == ["https://blog.example", "https://news.example"]
        await saved(303, embed_origins=" \r\n")
        assert await allowed() == []
