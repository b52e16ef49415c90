"""A new file for a video that others watch: the old one plays until somebody has looked at the new one, and stays if it
is unfit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import httpx
import pytest

from streamhost.db import packages, replacements
from streamhost.db import stills as still_rows
from streamhost.features.moderation.errors import ChangedMeanwhile
from streamhost.media import wire
from streamhost.model.audit import Actor
from streamhost.model.cases import By, Cause
from streamhost.model.clock import Timestamp
from streamhost.model.ids import PackageId, new_id
from streamhost.model.stills import Still, Stills
from streamhost.model.tasks import ScreenVideo
from streamhost.model.verdicts import Decision, Risk
from streamhost.model.videos import (
    Clearance,
    Replacement,
    Video,
    Visibility,
    media_prefix,
    package_stills,
    stills_prefix,
)
from tests.support.clips import small_clip
from tests.support.house import House, a_house
from tests.unit.moderation.test_meanwhile import Meddles, alice
from tests.unit.moderation.test_room import FRAMES, Says, let, settled

MIA = Actor(None, "mia")
MEDIUM, HIGH = 0.6, 0.95
PUBLISHED = Timestamp(1_700_000_000.0)


@pytest.fixture
async def community(tmp_path: Path) -> AsyncIterator[House]:
    """A house in which what alice brings is screened."""
    async with a_house(tmp_path / "data", moderation__profile="community") as house:
        yield house


async def approved(house: House) -> Video:
    """A public video of alice's that was published long ago."""
    return await house.video(visibility=Visibility.PUBLIC, published_at=PUBLISHED)


async def replaced(house: House, video: Video) -> Video:
    """The video after alice has sent another file for it, once nothing moves any more."""
    async with house.client() as client:
        answer = await client.post(
            f"/api/v1/videos/{video.id}/source",
            files={"file": ("new.mp4", small_clip().read_bytes())},
            headers=await house.bearer("alice"),
        )
    assert answer.status_code == 202, answer.text
    return await settled(house, video.id)


async def beside(house: House, video: Video, says: Says) -> Replacement:
    """A new file that stands beside what plays, made by hand, once models have looked at it."""
    let(house, says)
    package, now = PackageId(new_id()), house.host.clock()
    new = Replacement(video.id, f"{media_prefix(video.id)}source/{package}/new.mp4", "new.mp4", 5, None, now)
    name = package_stills(video.id, package) + "screening-0.mjpeg"
    await house.host.storage.put_bytes(name, b"".join(b"<%03d>" % number for number in range(FRAMES)))
    kept = tuple(Still(Fraction(2 * number), "screening-0.mjpeg", 5 * number, 5) for number in range(FRAMES))
    async with house.host.db.write() as conn:
        row = packages.PackageRow(package, video.id, "ready", "{}", now, None, source_key=new.source_key)
        await packages.insert(conn, row)
        await still_rows.save(conn, package, wire.dumps(Stills(screening=kept)).decode())
        await replacements.put(conn, new)
        await replacements.started(conn, video.id, package)
        await replacements.made(conn, video.id, 320, 12.0)
        await house.host.queue.add(conn, ScreenVideo(video.id, new_file=package))
    await house.host.worker.idle()
    async with house.host.db.read() as conn:
        found = await replacements.get(conn, video.id)
    assert found is not None
    return found


async def told(house: House, who: str) -> list[tuple[str, str]]:
    """What somebody was told of: kinds and texts."""
    user = await house.host.accounts.people.by_email(f"{who}@example.org")
    return [
        (str(one.notice.kind), one.notice.text)
        for one in (await house.host.notifications.bell.listed(user.id, limit=50)).items
    ]


async def stored(house: House, video: Video) -> set[str]:
    """The packaged sets of which anything is stored."""
    found = set()
    for prefix in (media_prefix(video.id), stills_prefix(video.id)):
        found |= {one.key.removeprefix(prefix).split("/")[0] async for one in house.host.storage.list(prefix)}
    return found


async def test_the_old_file_plays_until_the_new_one_was_looked_at(community: House) -> None:
    """While models look, everybody watches the old file; found fit, the new one takes its place without a gap."""
    video = await approved(community)
    path = f"/api/v1/stream/{video.id}"
    seen: list[tuple[object, ...]] = []
    async with community.client() as bob:
        stream = (await bob.get(path)).json()

        async def happens() -> None:
            now = await community.host.catalog.known(video.id)
            assert now is not None
            assert now.replacement is not None
            asked: list[httpx.Response] = [await bob.get(one) for one in (path, stream["hls"], f"{path}?new_file=true")]
            seen.append((now.clearance, now.package_id, now.replacement.step, asked[0].json()["package"]))
            seen.append(tuple(one.status_code for one in asked))

        says = let(community, Meddles(happens))
        after = await replaced(community, video)
        assert seen == [(Clearance.OPEN, video.package_id, "screen", video.package_id), (200, 200, 404)]
        assert after.package_id not in (None, video.package_id)
        assert (after.clearance, after.replacement, after.published_at) == (Clearance.OPEN, None, PUBLISHED)
        assert (await bob.get(path)).json()["package"] == after.package_id
        assert (await bob.get(stream["hls"])).status_code == 200, "whoever watches the old one goes on"
    assert len(says.seen) == 1, "nobody looks twice at the same"
    assert says.seen[0].frames
    file = await community.host.moderation.desk.file(video.id)
    assert {(one.by, one.decision, one.new_file) for one in file.history} == {(By.MODELS, Decision.APPROVE, False)}
    assert file.findings.frames
    assert {kind for kind, _ in await told(community, "alice")} == {"video_replaced"}


async def test_a_new_file_that_is_unfit_goes(community: House) -> None:
    """Models are sure: the old file stays, the owner is told why, and of the new one nothing is left but evidence."""
    let(community, Says(picture=HIGH))
    video = await approved(community)
    after = await replaced(community, video)
    assert (after.package_id, after.clearance, after.under_review) == (video.package_id, Clearance.OPEN, False)
    assert after.replacement is not None
    assert after.replacement.error is not None
    assert after.replacement.error.code == "file_rejected"
    assert "nudity" in after.replacement.error.detail
    [(kind, text)] = await told(community, "alice")
    assert kind == "replacement_failed"
    assert "nudity" in text
    assert await stored(community, video) == {video.package_id}
    desk = community.host.moderation.desk
    [verdict] = (await desk.file(video.id)).history
    assert (verdict.new_file, verdict.decision, verdict.after) == (True, Decision.REJECT, Clearance.OPEN)
    assert await community.host.moderation.evidence.picture(video.id, verdict.id, 0)
    assert (await desk.file(video.id)).verdict is None, "nothing was said of what plays"


@pytest.mark.parametrize("end", ["approved", "rejected", "cancelled"])
async def test_a_new_file_waits_for_a_person(community: House, end: str) -> None:
    """Models are not sure: it waits beside the old one, moderators watch it there, and they or its owner end that."""
    let(community, Says(picture=MEDIUM))
    video = await approved(community)
    after = await replaced(community, video)
    assert (after.package_id, after.clearance) == (video.package_id, Clearance.OPEN)
    assert after.replacement is not None
    assert after.replacement.step == "review"
    desk, path = community.host.moderation.desk, f"/api/v1/moderation/{video.id}"
    [waiting] = (await desk.queue()).items
    assert waiting.case.cause is Cause.NEW_FILE
    assert ("replacement_held" in dict(await told(community, "alice"))) is True
    assert ("review_waiting" in dict(await told(community, "root"))) is True
    async with community.client() as client:
        answers = {}
        for who in ("root", "alice", "bob"):
            headers = await community.bearer(who)
            answers[who] = await client.get(f"/api/v1/stream/{video.id}?new_file=true", headers=headers)
        assert [one.status_code for one in answers.values()] == [200, 200, 404]
        assert answers["root"].json()["package"] == after.replacement.package_id
        assert (await client.get(answers["root"].json()["hls"])).status_code == 200
        root = await community.bearer("root")
        page = await client.get(f"/moderation/{video.id}", headers=root | {"Accept": "text/html"})
        assert "This is a new file." in page.text
        file = (await client.get(f"{path}?new_file=true", headers=root)).json()
        assert (file["new_file"], file["new_file_waits"], file["verdict"]["decision"]) == (True, True, "review")
        assert file["timeline"]["at"]
        if end == "cancelled":
            path, headers = f"/api/v1/videos/{video.id}/processing", await community.bearer("alice")
            assert (await client.post(path, json={"action": "cancel"}, headers=headers)).status_code == 200
        else:
            decision = {"approved": "approve", "rejected": "reject"}[end]
            words = {"decision": decision, "reason": "No.", "new_file": True, "seen": file["version"]}
            answer = await client.post(path, json=words, headers=root)
            assert answer.status_code == 200, answer.text
        after = await settled(community, video.id)
        gone = await client.get(f"/api/v1/stream/{video.id}?new_file=true", headers=root)
        assert gone.status_code == 404
    assert (after.clearance, after.under_review) == (Clearance.OPEN, False)
    assert (after.package_id == video.package_id) is (end != "approved")
    if end == "approved":
        assert after.replacement is None
        standing = (await desk.file(video.id)).history[0]
        assert (standing.new_file, standing.decision) == (False, Decision.APPROVE), "it is said of what plays now"
    else:
        assert await stored(community, video) == {video.package_id}


async def test_what_was_opened_is_what_is_let_in(community: House) -> None:
    """A new file whose words were changed meanwhile is not let in by whoever has looked before that."""
    video = await approved(community)
    await beside(community, video, Says(picture=MEDIUM))
    desk = community.host.moderation.desk
    seen = (await desk.file(video.id, new_file=True)).version
    assert seen != (await desk.file(video.id)).version
    await community.host.catalog.edit(video.id, await alice(community), {"title": "Something else"})
    with pytest.raises(ChangedMeanwhile):
        await desk.decide(video.id, Decision.APPROVE, "", MIA, seen=seen, new_file=True)


async def report(house: House, video: Video) -> None:
    """Viewers report what plays."""
    async with house.host.db.write() as conn:
        await house.host.moderation.settling.raise_case(conn, video.id, Cause.REPORT, Risk.MEDIUM)


@pytest.mark.parametrize("first", [True, False], ids=["reported first", "reported later"])
async def test_a_decision_about_a_new_file_is_none_about_the_old_one(community: House, first: bool) -> None:
    """A report on what plays outlives the new file, and a rejected new file shields no vile words from models."""
    video, desk = await approved(community), community.host.moderation.desk
    if first:
        await report(community, video)
    await beside(community, video, Says(picture=MEDIUM))
    if not first:
        await report(community, video)
    await desk.decide(video.id, Decision.REJECT, "Not this.", MIA, new_file=True)
    file = await desk.file(video.id)
    assert file.case is not None
    assert (file.case.cause, file.video.clearance, file.new_file_waits) == (Cause.REPORT, Clearance.OPEN, False)
    assert await desk.reasons([video.id]) == {}
    let(community, Says(text=0.99))
    await community.host.catalog.edit(video.id, await alice(community), {"title": "Vile"})
    assert (await settled(community, video.id)).clearance is Clearance.REVIEW


async def test_after_a_rejected_file_the_next_waits_for_a_person(community: House) -> None:
    """So that nobody finds by trying which file gets past models; a person's word ends that."""
    video, desk = await approved(community), community.host.moderation.desk
    assert (await beside(community, video, Says(picture=HIGH))).error is not None
    assert (await beside(community, video, Says())).step == "review"
    await desk.decide(video.id, Decision.REJECT, "Not this.", MIA, new_file=True)
    assert (await beside(community, video, Says())).step == "review"
    await desk.decide(video.id, Decision.APPROVE, "", MIA)
    again = await beside(community, video, Says())
    assert (again.step, again.error) == ("", None), "it is let in"


async def test_a_decision_about_the_old_file_is_none_about_a_new_one(community: House) -> None:
    """Whoever rejects what plays has not seen the new file: it still waits for somebody."""
    video, desk = await approved(community), community.host.moderation.desk
    await beside(community, video, Says(picture=MEDIUM))
    await report(community, video)
    file = await desk.decide(video.id, Decision.REJECT, "Not this.", MIA)
    assert file.case is not None
    assert (file.case.cause, file.video.clearance, file.new_file_waits) == (Cause.NEW_FILE, Clearance.REJECTED, True)


@pytest.mark.parametrize("how", ["nobody could look", "nothing is taken from anybody"])
async def test_without_a_finding(community: House, how: str) -> None:
    """A look that fails for good leaves a new file to a person; one for a video that is closed waits for nobody."""
    video = await approved(community)
    if how == "nobody could look":
        new = await beside(community, video, Says(fails=ValueError("a mistake in it")))
        assert new.step == "screen"
        async with community.host.db.write() as conn:
            for one in (await community.host.work.listed(subject=None)).items:
                if one.job.kind == ScreenVideo.kind:
                    await community.host.queue.cancel(conn, one.job.id)
        await community.host.worker.idle()
        file = await community.host.moderation.desk.file(video.id, new_file=True)
        assert file.verdict is not None
        assert file.verdict.judgement.risk is Risk.UNKNOWN
        assert file.case is not None
        assert file.case.cause is Cause.NEW_FILE
    else:
        package, holds = PackageId(new_id()), community.host.moderation.screening.holds
        closed, trusted = await community.video(clearance=Clearance.REVIEW), await community.video("root")
        async with community.host.db.write() as conn:
            assert await holds(conn, video.id, package)
            assert not await holds(conn, closed.id, package)
            assert not await holds(conn, trusted.id, package)
