"""What changes while somebody looks, what was asked for meanwhile, and what is taken away from those who watch."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from streamhost.db import audit, videos
from streamhost.features.moderation.errors import ChangedMeanwhile, OwnVideo
from streamhost.model.accounts import Role, Viewer
from streamhost.model.audit import Act, Actor
from streamhost.model.cases import By, Cause, Evidence, RunState, Verdict
from streamhost.model.ids import VerdictId, VideoId
from streamhost.model.moderation import Aspect, Findings, Material
from streamhost.model.tasks import Lane
from streamhost.model.verdicts import Decision, Judgement, Lines, Look, Opinion, Policy, Profile, Risk
from streamhost.model.videos import Clearance, Protection, VideoState, Visibility
from streamhost.server.pages.desk_shapes import picture_views
from tests.support.house import PASSWORD, House, a_house
from tests.unit.moderation.test_room import Says, let, made, settled

MIA = Actor(None, "mia")
FULL = 0.99


class Meddles(Says):
    """A classifier during whose first look something happens."""

    def __init__(self, happens: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self._happens = happens

    async def screen(self, material: Material, report: Callable[[float], None]) -> Findings:
        """As `Says`."""
        if not self.seen:
            await self._happens()
        return await super().screen(material, report)


@pytest.fixture
async def community(tmp_path: Path) -> AsyncIterator[House]:
    """A house in which what alice brings is screened."""
    async with a_house(tmp_path / "data", moderation__profile="community") as house:
        yield house


async def alice(house: House) -> Viewer:
    """Alice, signed in."""
    return await house.host.accounts.viewer_of_bearer((await house.bearer("alice"))["Authorization"].split()[1])


async def titled(house: House, video_id: VideoId, title: str) -> None:
    """Another title behind everybody's back."""
    async with house.host.db.write() as conn:
        await videos.change(conn, video_id, house.host.clock(), title=title)


async def test_nothing_is_approved_that_was_changed_since(community: House) -> None:
    """Whoever approves what they have opened a while ago does not approve what its owner has put there meanwhile."""
    let(community, Says(picture=0.6))
    video = await made(community)
    desk, headers = community.host.moderation.desk, await community.bearer("root")
    seen = (await desk.file(video.id)).version
    await community.host.catalog.edit(video.id, await alice(community), {"description": "Something else"})
    with pytest.raises(ChangedMeanwhile):
        await desk.decide(video.id, Decision.APPROVE, "", MIA, seen=seen)
    async with community.client() as root:
        path, words = f"/api/v1/moderation/{video.id}", {"decision": "approve", "seen": seen}
        refused = await root.post(path, json=words, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "changed_meanwhile")
        words["seen"] = (await root.get(path, headers=headers)).json()["version"]
        assert (await root.post(path, json=words, headers=headers)).status_code == 200
    assert (await settled(community, video.id)).clearance is Clearance.OPEN
    await desk.decide(video.id, Decision.REJECT, "No.", MIA, seen="long ago")
    assert (await settled(community, video.id)).clearance is Clearance.REJECTED, "rejecting harms nobody"


async def test_somebody_decides_while_models_look(community: House) -> None:
    """A person has approved this very content by the time that models are against it: theirs is the last word."""
    let(community, Says())
    video = await made(community)

    async def happens() -> None:
        await community.host.moderation.desk.decide(video.id, Decision.APPROVE, "", MIA)

    let(community, Meddles(happens)).text = FULL
    await community.host.catalog.edit(video.id, await alice(community), {"title": "Vile to models"})
    assert (await settled(community, video.id)).clearance is Clearance.OPEN


@pytest.mark.parametrize("gone", [False, True], ids=["changed", "gone"])
async def test_a_look_at_everything_ends_whatever_happens_meanwhile(community: House, gone: bool) -> None:
    """A video that is changed, or deleted, while it is looked at does not keep the run from its end."""
    let(community, Says())
    video = await made(community)
    await titled(community, video.id, "Other words")

    async def happens() -> None:
        if gone:
            async with community.host.db.write() as conn:
                await community.host.trash.remove(conn, video.id)
        else:
            await titled(community, video.id, "Other words again")

    let(community, Meddles(happens))
    run = await community.host.moderation.rescreening.begin(MIA)
    await community.host.worker.idle()
    run = await community.host.moderation.rescreening.get(run.id)
    assert (run.state, run.done, run.failed) == (RunState.LOOKED, 0 if gone else 1, 0)


async def test_nobody_opens_by_trying_what_models_have_rejected(community: House) -> None:
    """An owner who changes a rejected video until models find nothing still waits for a person, however often."""
    says = let(community, Says(picture=FULL))
    video, desk, owner = await made(community), community.host.moderation.desk, await alice(community)
    assert video.clearance is Clearance.REJECTED
    says.picture = 0.0
    await community.host.moderation.screening.again(video.id, MIA)
    for title in ("Harmless", "Still harmless"):
        assert (await settled(community, video.id)).clearance is Clearance.REVIEW
        await community.host.catalog.edit(video.id, owner, {"title": title})
    assert (await settled(community, video.id)).clearance is Clearance.REVIEW
    await desk.decide(video.id, Decision.APPROVE, "", MIA)
    await community.host.catalog.edit(video.id, owner, {"title": "Quite harmless"})
    assert (await settled(community, video.id)).clearance is Clearance.OPEN, "a person has approved it"


async def test_nobody_approves_their_own(tmp_path: Path) -> None:
    """Where moderators are not trusted unseen, one who uploads waits for another; undoing is no way around that."""
    async with a_house(tmp_path / "data", moderation__profile="public") as house:
        let(house, Says(picture=FULL))
        video, desk = await made(house), house.host.moderation.desk
        own = Actor(video.owner_id, "alice@example.org")
        with pytest.raises(OwnVideo):
            await desk.decide(video.id, Decision.APPROVE, "", own)
        await desk.decide(video.id, Decision.REJECT, "No.", MIA)
        with pytest.raises(OwnVideo):
            await desk.undo(video.id, own)
        trusted = await made(house, "root", clearance=Clearance.REVIEW)
        root = Actor(trusted.owner_id, "root@example.org")
        assert (await desk.decide(trusted.id, Decision.APPROVE, "", root)).video.clearance is Clearance.OPEN


@pytest.mark.parametrize("changed", [False, True], ids=["models have rejected it", "its words are others"])
async def test_taking_a_rejection_back_opens_nothing_unseen(community: House, changed: bool) -> None:
    """What was open before it was rejected is open again only as it was then: else it waits for a person."""
    says, desk = let(community, Says()), community.host.moderation.desk
    video = await made(community)
    await desk.decide(video.id, Decision.REJECT, "No.", MIA)
    await desk.undo(video.id, MIA)
    assert (await settled(community, video.id)).clearance is Clearance.OPEN
    await desk.decide(video.id, Decision.REJECT, "No.", MIA)
    if changed:
        await community.host.catalog.edit(video.id, await alice(community), {"title": "What nobody has seen"})
    else:
        says.picture = FULL
        await community.host.moderation.screening.again(video.id, MIA)
    assert (await settled(community, video.id)).clearance is Clearance.REJECTED
    await desk.undo(video.id, MIA)
    assert (await settled(community, video.id)).clearance is Clearance.REVIEW


async def test_what_moderators_do_besides_deciding_is_written_down(community: House) -> None:
    """Taking a case from somebody, having models look again, and ending a look at all videos stand in the log; taking
    one that is free, again and again while its page is open, does not."""
    let(community, Says(picture=0.6))
    room, people = community.host.moderation, community.host.accounts.people
    video, root = await made(community), await people.by_email("root@example.org")
    mod = await people.add("mod@example.org", PASSWORD, "Mod", Role.MODERATOR, verified=True)
    for reviewer in (mod, mod, root):
        await room.desk.claim(video.id, reviewer, over=Actor.of(reviewer))
    await room.screening.again(video.id, Actor.of(root))
    run = await room.rescreening.begin(MIA)
    await community.host.worker.idle()
    await room.rescreening.cancel(run.id, MIA)
    async with community.host.db.read() as conn:
        lines = {one.act: one for one in await audit.listed(conn, 100)}
        assert len(await audit.listed(conn, 100, act=Act.CASE_TAKEN_OVER)) == 1
    taken = lines[Act.CASE_TAKEN_OVER]
    assert (taken.actor.id, dict(taken.details)) == (root.id, {"video": video.id, "from": mod.id})
    assert lines[Act.SCREENING_ORDERED].details["video"] == video.id
    assert lines[Act.RESCREEN_ENDED].details["run"] == run.id


async def test_the_reason_of_a_person_stays(community: House) -> None:
    """Models that look again at what a person has rejected do not take away what its owner was told."""
    let(community, Says())
    video, desk = await made(community), community.host.moderation.desk
    await desk.decide(video.id, Decision.REJECT, "It is somebody else's.", MIA)
    await community.host.catalog.edit(video.id, await alice(community), {"title": "Another title"})
    assert (await settled(community, video.id)).clearance is Clearance.REJECTED
    assert (await desk.file(video.id)).history[0].by is By.MODELS
    assert await desk.reasons([video.id]) == {video.id: "It is somebody else's."}


@pytest.mark.parametrize("first", [True, False], ids=["reported first", "reported later"])
async def test_models_do_not_close_what_viewers_have_reported(community: House, first: bool) -> None:
    """An owner cannot have a report disappear from the queue by vile words that are harmless again a moment later."""
    says = let(community, Says())
    video, owner = await made(community), await alice(community)
    settling = community.host.moderation.settling

    async def report() -> None:
        async with community.host.db.write() as conn:
            await settling.raise_case(conn, video.id, Cause.REPORT, Risk.MEDIUM)

    if first:
        await report()
    says.text = FULL
    await community.host.catalog.edit(video.id, owner, {"title": "Vile"})
    assert (await settled(community, video.id)).clearance is Clearance.REVIEW
    if not first:
        await report()
    says.text = 0.0
    await community.host.catalog.edit(video.id, owner, {"title": "Harmless"})
    assert (await settled(community, video.id)).clearance is Clearance.OPEN
    case = (await community.host.moderation.desk.file(video.id)).case
    assert case is not None
    assert case.cause is Cause.REPORT


async def test_words_are_looked_at_while_more_is_made_of_what_plays(community: House) -> None:
    """An open video of which a rendition is made anew does not show a vile title until that is done."""
    says = let(community, Says())
    video = await made(community)
    async with community.host.db.write() as conn:
        await videos.change(conn, video.id, community.host.clock(), state=VideoState.PROCESSING.value)
    says.text = FULL
    await community.host.catalog.edit(video.id, await alice(community), {"title": "Vile"})
    found = await settled(community, video.id)
    assert (found.state, found.clearance) == (VideoState.PROCESSING, Clearance.REVIEW)
    assert says.seen[-1].frames == ()


async def test_words_do_not_wait_behind_films(community: House) -> None:
    """They can be read by everybody until they were looked at, so that is done beside the making of films."""
    let(community, Says())
    video = await made(community)
    await community.host.catalog.edit(video.id, await alice(community), {"title": "Other words"})
    await community.host.worker.idle()
    jobs = (await community.host.work.listed(subject=f"screen:{video.id}")).items
    lanes = {one.job.payload["words_only"]: one.job.lane for one in jobs}
    assert lanes == {False: Lane.MEDIA, True: Lane.LIGHT}


@pytest.mark.parametrize("protection", [Protection.AES_128, Protection.CBCS])
async def test_keys_of_a_rejected_video_are_had_no_more(community: House, protection: Protection) -> None:
    """What somebody could fetch a moment ago, a key or a licence, is refused once a person has rejected the video."""
    video = await community.video(visibility=Visibility.PUBLIC, protection=protection)
    assert video.package_id is not None
    protecting = await community.host.protections.protecting(video.package_id, protection)
    assert protecting is not None
    kid = protecting.video[0].kid
    named = urlsafe_b64encode(bytes.fromhex(kid)).rstrip(b"=").decode()
    challenge = json.dumps({"kids": [named], "type": "temporary"})
    async with community.client() as bob:
        stream = (await bob.get(f"/api/v1/stream/{video.id}")).json()
        root = stream["hls"].rpartition("/")[0]

        async def asked() -> list[int]:
            key = await bob.get(f"{root}/key/{kid}")
            licence = await bob.post(f"{root}/license/clearkey", content=challenge)
            return [key.status_code, licence.status_code]

        assert await asked() == [200, 200]
        await community.host.moderation.desk.decide(video.id, Decision.REJECT, "No.", MIA)
        assert await asked() == [403, 403]
        assert (await bob.get(f"/api/v1/stream/{video.id}")).status_code == 404


@pytest.mark.parametrize(("risk", "level"), [(Risk.MEDIUM, "medium"), (Risk.HIGH, "high")])
def test_a_picture_is_marked_no_graver_than_its_aspect(risk: Risk, level: str) -> None:
    """One of two models is sure and the other is not: a person looks, and the mark does not say rejected."""
    policy = Policy(Profile.COMMUNITY, {Aspect.NUDITY: Lines(0.5, 0.7)})
    judgement = Judgement(risk, Decision.REVIEW, (Opinion(Aspect.NUDITY, Look.SCREENED, risk, FULL, 0.1),))
    piece = Evidence(Aspect.NUDITY, FULL, 2.0, 0, 5)
    verdict = Verdict(
        VerdictId("x"),
        VideoId("v"),
        1.0,
        By.MODELS,
        Decision.REVIEW,
        Clearance.PENDING,
        Clearance.REVIEW,
        judgement=judgement,
        evidence=(piece,),
        policy=policy,
    )
    [view] = picture_views(verdict, "/evidence")
    assert view.level == level
