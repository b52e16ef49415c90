"""The room of moderation in a house of a community, with classifiers made up for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from streamhost.db import stills as still_rows
from streamhost.db import verdicts, videos
from streamhost.features.moderation.errors import NothingToUndo
from streamhost.features.moderation.evidence import KEPT_VERDICTS
from streamhost.media import wire
from streamhost.model.accounts import Role
from streamhost.model.audit import COMMAND_LINE, Actor
from streamhost.model.cases import By, Cause
from streamhost.model.clock import DAY, HOUR
from streamhost.model.ids import PackageId, VerdictId, VideoId
from streamhost.model.moderation import OF_TEXTS, Aspect, Findings, FrameScores, Material, Score, Span, TextScores
from streamhost.model.stills import Still, Stills
from streamhost.model.streaming import MASTER_PLAYLIST
from streamhost.model.tasks import SweepEvidence
from streamhost.model.verdicts import Decision, Risk
from streamhost.model.videos import Clearance, Video, Visibility, evidence_prefix, package_stills
from streamhost.ports import ClassifierUnavailable
from tests.support.house import PASSWORD, House, a_house

FRAMES = 6


class Says:
    """A classifier that says the same of every picture and of every text; `fails`: it raises that instead."""

    aspects = frozenset(Aspect)

    def __init__(self, picture: float = 0.0, text: float = 0.0, fails: Exception | None = None) -> None:
        self.picture, self.text, self.fails = picture, text, fails
        self.seen: list[Material] = []

    async def screen(self, material: Material, report: Callable[[float], None]) -> Findings:
        """The made-up scores."""
        self.seen.append(material)
        if self.fails is not None:
            raise self.fails
        report(1.0)
        scores = tuple(Score(aspect, self.picture, self.picture) for aspect in Aspect if aspect not in OF_TEXTS)
        said = (Score(Aspect.TOXICITY, self.text, self.text),)
        spans = (Span(0, 3, self.text),) if self.text else ()
        return Findings(
            tuple(FrameScores(frame.at, scores) for frame in material.frames),
            tuple(TextScores(text, said, spans) for text in material.texts),
        )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house of a community."""
    async with a_house(tmp_path / "data", moderation__profile="community") as house:
        yield house


def let(house: House, says: Says) -> Says:
    """Have this classifier look, and no other."""
    house.host.models.classifier = says
    return says


async def made(house: House, owner: str = "alice", frames: int = FRAMES, **fields: Any) -> Video:
    """A public video that was just made, with frames of five bytes that were kept; screened as far as it goes."""
    known = {"visibility": Visibility.PUBLIC, "clearance": Clearance.PENDING, "width": 320, "height": 180}
    video = await house.video(owner, **(known | fields))
    assert video.package_id is not None
    name = package_stills(video.id, video.package_id) + "screening-0.mjpeg"
    await house.host.storage.put_bytes(name, b"".join(b"<%03d>" % number for number in range(frames)))
    kept = tuple(Still(Fraction(2 * number), "screening-0.mjpeg", 5 * number, 5) for number in range(frames))
    async with house.host.db.write() as conn:
        if frames:
            await still_rows.save(conn, video.package_id, wire.dumps(Stills(screening=kept)).decode())
        await house.host.moderation.screening.made(conn, video.id)
    return await settled(house, video.id)


async def settled(house: House, video_id: VideoId) -> Video:
    """A video once every job is done."""
    await house.host.worker.idle()
    found = await house.host.catalog.known(video_id)
    assert found is not None
    return found


async def test_trusted_people_are_approved_unseen(house: House) -> None:
    """Nobody looks at what an admin brings, and that is what its history says."""
    says = let(house, Says(picture=0.99))
    video = await made(house, "root")
    assert video.clearance is Clearance.OPEN
    [verdict] = (await house.host.moderation.desk.file(video.id)).history
    assert (verdict.by, verdict.decision, verdict.judgement.opinions) == (By.TRUST, Decision.APPROVE, ())
    assert says.seen == []


async def test_at_home_nothing_is_screened(tmp_path: Path) -> None:
    """Without a choice whoever may upload is trusted: a video is open from its first moment, models or not."""
    async with a_house(tmp_path / "home") as home:
        alice = await home.host.accounts.people.by_email("alice@example.org")
        async with home.host.db.read() as conn:
            assert await home.host.moderation.screening.entering(conn, alice.id) is Clearance.OPEN
        policy = await home.host.moderation.policies.get()
        assert policy.trusts(Role.CREATOR)
        assert not policy.trusts(Role.VIEWER)
        video = await made(home, clearance=Clearance.OPEN)
        assert video.clearance is Clearance.OPEN
        assert [one.by for one in (await home.host.moderation.desk.file(video.id)).history] == [By.TRUST]


async def test_what_nobody_looked_at_is_no_business_of_moderators(house: House) -> None:
    """Among the decisions they read what models have looked at, also if it is private; what trust alone has let pass
    has no title for them, and no case."""
    let(house, Says())
    looked_at = await made(house, title="Journey", visibility=Visibility.PRIVATE)
    unseen = await made(house, "root", title="Diary", visibility=Visibility.PRIVATE)
    await house.host.accounts.people.add("mod@example.org", PASSWORD, "Mod", Role.MODERATOR, verified=True)
    async with house.client() as client:
        for who, diary in (("mod", False), ("root", True)):
            headers = await house.bearer(who)
            page = (await client.get("/moderation/decided", headers=headers)).text
            assert ("Journey" in page, "Diary" in page) == (True, diary), who
            for video, told in ((looked_at, True), (unseen, diary)):
                file = await client.get(f"/api/v1/moderation/{video.id}", headers=headers)
                assert file.status_code == (200 if told else 404), (who, video.title)


async def test_who_enters_waits(house: House) -> None:
    """In a community a creator's video is closed to others until it was looked at."""
    alice = await house.host.accounts.people.by_email("alice@example.org")
    async with house.host.db.read() as conn:
        assert await house.host.moderation.screening.entering(conn, alice.id) is Clearance.PENDING
    let(house, Says())
    assert (await made(house)).clearance is Clearance.OPEN


async def test_nobody_can_look(house: House) -> None:
    """A classifier that cannot be reached is asked again; one that fails for good leaves it to a person."""
    house.host.worker._timing = replace(house.host.worker._timing, backoff=HOUR, outage=HOUR)  # not while we look
    let(house, Says(fails=ClassifierUnavailable("It is away.")))
    video = await made(house)
    assert video.clearance is Clearance.PENDING
    jobs = await house.host.work.listed(subject=f"screen:{video.id}")
    assert [item.job.error_code for item in jobs.items] == ["classifier_unavailable"]
    let(house, Says(fails=ValueError("a mistake in it")))
    other = await made(house)
    async with house.host.db.write() as conn:
        for one in (await house.host.work.listed(subject=f"screen:{other.id}")).items:
            await house.host.queue.cancel(conn, one.job.id)
    other = await settled(house, other.id)
    assert other.clearance is Clearance.REVIEW
    verdict = (await house.host.moderation.desk.file(other.id)).verdict
    assert verdict is not None
    assert verdict.judgement.risk is Risk.UNKNOWN
    assert {gap.aspect for gap in verdict.gaps} == set(Aspect)


async def test_no_frames_were_kept(house: House) -> None:
    """A video with pictures of which none was kept cannot be screened, so nobody approves it unseen."""
    let(house, Says())
    video = await made(house, frames=0)
    assert video.clearance is Clearance.REVIEW
    sound = await made(house, frames=0, width=None, height=None)
    assert sound.clearance is Clearance.OPEN, "there is nothing to look at"


async def test_evidence_outlives_the_video(house: House) -> None:
    """Pictures that spoke against a video are kept where no link leads, stay when it is deleted, and go in time."""
    let(house, Says(picture=0.6))
    video = await made(house)
    file = await house.host.moderation.desk.file(video.id)
    assert file.case is not None
    assert (file.case.cause, file.case.risk) == (Cause.SCREENING, Risk.MEDIUM)
    verdict = file.verdict
    assert verdict is not None
    assert len(verdict.evidence) == FRAMES * (len(Aspect) - 1)
    pictures = house.host.moderation.evidence
    assert await pictures.picture(video.id, verdict.id, 1) == b"<001>"
    async with house.host.db.write() as conn:
        await house.host.trash.remove(conn, video.id)
    await house.host.worker.idle()
    await sweep(house)
    assert await pictures.picture(video.id, verdict.id, 1) == b"<001>"
    async with house.host.db.write() as conn:
        await conn.execute("UPDATE verdicts SET at = at - :age", {"age": 181 * DAY})
    await sweep(house)
    assert [one async for one in house.host.storage.list(evidence_prefix(video.id))] == []
    async with house.host.db.read() as conn:
        assert await verdicts.of_video(conn, video.id) == []


async def test_verdicts_do_not_pile_up(house: House) -> None:
    """Of what models said in years the newest stay, the last that opened the video, and every word of a person."""
    let(house, Says())
    video = await made(house)
    desk, now = house.host.moderation.desk, house.host.clock()
    await desk.decide(video.id, Decision.APPROVE, "", Actor(None, "mia"))
    [_, opened] = (await desk.file(video.id)).history
    async with house.host.db.write() as conn:
        for number in range(40):
            old = replace(opened, id=VerdictId(f"{number:022}"), at=now - 400 * DAY, after=Clearance.REVIEW)
            await verdicts.insert(conn, old)
        await conn.execute("UPDATE verdicts SET at = :at", {"at": now - 400 * DAY})
    await sweep(house)
    history = (await desk.file(video.id)).history
    assert [one.by for one in history] == [By.MODELS] * KEPT_VERDICTS + [By.PERSON]
    async with house.host.db.write() as conn:
        assert await verdicts.was_open(conn, history[0])
        assert await verdicts.prune(conn, now, kept=0, most=5) == KEPT_VERDICTS - 1, "the newest of models stays"
    assert (await house.host.audit.entries()).items, "what was done stays in the audit log"


async def sweep(house: House) -> None:
    """Have evidence swept now."""
    async with house.host.db.write() as conn:
        await house.host.queue.add(conn, SweepEvidence())
    await house.host.worker.idle()


async def test_a_person_has_the_last_word_on_the_same_content(house: House) -> None:
    """What a person approved stays open though models reject it; new words are judged again, pictures are not."""
    says = let(house, Says(picture=0.95))
    video = await made(house)
    assert video.clearance is Clearance.REJECTED
    desk, mia = house.host.moderation.desk, Actor(None, "mia")
    await desk.decide(video.id, Decision.APPROVE, "", mia)
    await house.host.moderation.screening.again(video.id, COMMAND_LINE)
    assert (await settled(house, video.id)).clearance is Clearance.OPEN
    viewer = await house.host.accounts.viewer_of_bearer((await house.bearer("root"))["Authorization"].split()[1])
    says.text = 0.99
    await house.host.catalog.edit(video.id, viewer, {"title": "Something vile"})
    assert (await settled(house, video.id)).clearance is Clearance.REVIEW
    assert says.seen[-1].frames == (), "nobody looks at the pictures again because of a title"
    back = await desk.undo(video.id, mia)
    assert back.video.clearance is Clearance.REJECTED
    with pytest.raises(NothingToUndo):
        await desk.undo(video.id, mia)


async def test_another_file_is_looked_at_before_others_see_it(house: House) -> None:
    """When a new file that nobody has looked at takes a place where nothing played, the video is closed to others."""
    let(house, Says())
    video = await made(house)
    async with house.host.db.write() as conn:
        await house.host.moderation.screening.replaced(conn, video.id, PackageId("fresh"))
        found = await videos.get(conn, video.id)
    assert found is not None
    assert found.clearance is Clearance.PENDING
    async with house.host.db.write() as conn:
        await house.host.moderation.screening.made(conn, video.id)
    assert (await settled(house, video.id)).clearance is Clearance.OPEN


async def test_published_first(tmp_path: Path) -> None:
    """Where videos are published first, gaps take nothing down, but somebody is to look; what was found does."""
    settings = {"moderation__profile": "community", "moderation__publish": "publish-then-screen"}
    async with a_house(tmp_path / "data", **settings) as house:
        alice = await house.host.accounts.people.by_email("alice@example.org")
        async with house.host.db.read() as conn:
            assert await house.host.moderation.screening.entering(conn, alice.id) is Clearance.OPEN
        let(house, Says())
        unseen = await made(house, frames=0, clearance=Clearance.OPEN)
        assert (unseen.clearance, unseen.under_review) == (Clearance.OPEN, True)
        let(house, Says(picture=0.6))
        found = await made(house, clearance=Clearance.OPEN)
        assert found.clearance is Clearance.REVIEW


async def test_a_decision_of_another_process_ends_links(house: House) -> None:
    """A command on the data directory rejects a video: the running server's links to it end within seconds."""
    video = await house.video(visibility=Visibility.PUBLIC)
    await house.host.moderation.watch.stop()  # it is to look when the test says so
    async with house.client() as bob:
        stream = (await bob.get(f"/api/v1/stream/{video.id}")).json()
        assert (await bob.get(stream["hls"])).status_code == 200
        other = house.host.moderation.settling
        told, other._withdrawn = other._withdrawn, lambda *_: None  # the other process cannot tell this one
        await house.host.moderation.desk.decide(video.id, Decision.REJECT, "No.", COMMAND_LINE)
        other._withdrawn = told
        assert (await bob.get(stream["hls"])).status_code == 200
        await house.host.moderation.watch.look()
        assert (await bob.get(stream["hls"])).status_code == 403
        assert MASTER_PLAYLIST in stream["hls"]
