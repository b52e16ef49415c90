"""Videos on their way past the real models and those who moderate: approved, held, rejected, and what each may see."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.access_table import TABLE
from tests.support import onnx_models
from tests.support.models import lend
from tests.support.posed import posed
from tests.support.server import Api, RunningServer, until, within
from tests.support.tree import stored

FILMS = {
    "park": ("park", "A walk in the park"),
    "rude": ("park", "shut the fuck up you fucking bitch"),
    "doubtful": ("nudity_first_model", "Hands"),
    "certain": ("nudity_both_models", "Shapes"),
    "gory": ("gore", "A butcher's shop"),
}
pytestmark = pytest.mark.slow
WITHIN = 10.0
"""Seconds after which nothing of a rejected video may be had any more."""
ENDING = ("/logout", "/sessions/end")
"""Routes after which the one who asks is somebody else."""
PATIENCE = 540.0
"""Seconds for a look at all of them, on a machine that has other things to do."""
PIECE = 24
"""Bytes that tell one file from all others."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A site of a community with the real models: alice's videos are screened, mia moderates."""
    data = tmp_path_factory.mktemp("site") / "data"
    lend(data)
    running = RunningServer(data, STREAMHOST_MODERATION_PROFILE="community", STREAMHOST_LIMITS_ENABLED="false").start()
    for name, role in (("root", "admin"), ("alice", "creator"), ("bob", "viewer"), ("mia", "moderator")):
        running.add_user(f"{name}@example.org", role)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


@pytest.fixture(scope="module")
def bob(site: RunningServer) -> Api:
    return site.client("bob@example.org")


@pytest.fixture(scope="module")
def mia(site: RunningServer) -> Api:
    return site.client("mia@example.org")


def send(alice: Api, film: str, **fields: str) -> str:
    """Upload a public film of `FILMS`."""
    picture, title = FILMS[film]
    return alice.upload(posed(picture), **{"title": title, "visibility": "public", "allow_download": "true"} | fields)


@pytest.fixture(scope="module")
def films(alice: Api) -> dict[str, str]:
    """All of them, sent at once; their ids."""
    return {film: send(alice, film) for film in FILMS}


def file_of(mia: Api, video: str) -> dict[str, Any]:
    """What moderators know of a video."""
    document: dict[str, Any] = mia.get(f"/api/v1/moderation/{video}").raise_for_status().json()
    return document


def decide(mia: Api, video: str, decision: str, reason: str = "") -> httpx.Response:
    """A person's decision."""
    return mia.post(f"/api/v1/moderation/{video}", json={"decision": decision, "reason": reason})


def looks(verdict: dict[str, Any]) -> dict[str, str]:
    """How thoroughly each aspect was looked for."""
    return {one["aspect"]: one["state"] for one in verdict["looked"]}


def kinds_of_notices(api: Api, video: str) -> set[str]:
    """What somebody was told of about a video."""
    items = api.get("/api/v1/notifications", params={"limit": 50}).raise_for_status().json()["items"]
    return {one["kind"] for one in items if video in str(one)}


def test_a_harmless_film_is_approved(alice: Api, bob: Api, mia: Api, films: dict[str, str]) -> None:
    """Models have looked at every aspect that they know, the rest is said to be not installed; others may watch."""
    document = alice.wait_until(films["park"], "ready")
    assert document["playable"]
    assert bob.stream(films["park"])["hls"]
    found = file_of(mia, films["park"])
    verdict = found["verdict"]
    assert (verdict["by"], verdict["decision"], verdict["risk"], verdict["after"]) == (
        "models",
        "approve",
        "low",
        "open",
    )
    assert looks(verdict) == {
        "nudity": "screened",
        "gore": "screened",
        "fights": "not_installed",
        "weapons": "not_installed",
        "toxicity": "screened",
    }
    assert max(verdict["scores"].values()) < 0.5
    assert {one["id"] for one in verdict["models"]} == {"image-safety-classifier-s", "open-nsfw", "toxicity-en"}
    assert len(found["timeline"]["at"]) >= 4
    assert films["park"] in [one["id"] for one in bob.get("/api/v1/videos").json()["items"]]
    until(lambda: "video_approved" in kinds_of_notices(alice, films["park"]))


def test_what_models_disagree_about_is_held(
    alice: Api, bob: Api, mia: Api, site: RunningServer, films: dict[str, str]
) -> None:
    """Medium risk: its owner can watch it, moderators see it with evidence, nobody else knows of it."""
    video = films["doubtful"]
    alice.wait_until(video, "review")
    assert alice.stream(video)["hls"]
    assert mia.stream(video)["hls"]
    for other in (bob, site.client()):
        assert other.get(f"/api/v1/videos/{video}").status_code == 404
        assert other.get(f"/api/v1/stream/{video}").status_code == 404
        assert video not in other.get("/api/v1/videos").text
        assert video not in other.get("/api/v1/search", params={"q": "hands"}).text
    queue = mia.get("/api/v1/moderation/queue", params={"category": "nudity"}).raise_for_status().json()
    [entry] = [one for one in queue["items"] if one["id"] == video]
    assert (entry["risk"], entry["decision"]) == ("medium", "review")
    assert entry["scores"]["nudity"] > 0.5 > entry["scores"]["text"]
    picture = next(one for one in entry["evidence"] if one["frame"])
    assert mia.get(picture["frame"]).raise_for_status().content[:3] == b"\xff\xd8\xff"
    assert bob.get(picture["frame"]).status_code == alice.get(picture["frame"]).status_code == 403
    until(lambda: {"video_held"} <= kinds_of_notices(alice, video))
    until(lambda: {"review_waiting"} <= kinds_of_notices(mia, video))


def test_what_models_agree_about_is_rejected(alice: Api, bob: Api, mia: Api, films: dict[str, str]) -> None:
    """High risk: nobody but moderators sees anything of it; its owner sees that, and why."""
    video = films["certain"]
    document = alice.wait_until(video, "rejected")
    assert (document["playable"], document["poster"]) == (False, None)
    refused = alice.get(f"/api/v1/stream/{video}")
    assert (refused.status_code, refused.json()["code"]) == (403, "video_rejected")
    assert bob.get(f"/api/v1/videos/{video}").status_code == 404
    assert mia.stream(video)["hls"]
    verdict = file_of(mia, video)["verdict"]
    assert (verdict["decision"], verdict["risk"], verdict["after"]) == ("reject", "high", "rejected")
    assert "nudity" in verdict["reason"]
    listed = mia.get("/api/v1/moderation/decisions", params={"decision": "reject", "by": "models"}).json()["items"]
    assert video in [one["video_id"] for one in listed]
    until(lambda: "video_rejected" in kinds_of_notices(alice, video))
    assert alice.get(f"/api/v1/videos/{video}/source").status_code == 403


def test_gore_counts_for_violence(alice: Api, mia: Api, films: dict[str, str]) -> None:
    """The one model that knows gore is sure enough for a person to look, and the category says so."""
    alice.wait_until(films["gory"], "review")
    verdict = file_of(mia, films["gory"])["verdict"]
    assert verdict["scores"]["violence"] > 0.5 > verdict["scores"]["nudity"]
    assert {one["category"] for one in verdict["evidence"]} == {"violence"}


def test_a_vile_title_is_held_until_it_is_changed(alice: Api, bob: Api, mia: Api, films: dict[str, str]) -> None:
    """Words lead to a person, with the words marked; a harmless title later, models let it pass; and back again."""
    video = films["rude"]
    alice.wait_until(video, "review")
    [evidence] = [one for one in file_of(mia, video)["verdict"]["evidence"] if one["text"]]
    assert evidence["source"] == "title"
    assert any("bitch" in evidence["text"][span["start"] : span["end"]] for span in evidence["spans"])
    assert alice.patch(f"/api/v1/videos/{video}", json={"title": "Sunset"}).status_code == 200
    until(lambda: bob.get(f"/api/v1/stream/{video}").status_code == 200)
    assert alice.patch(f"/api/v1/videos/{video}", json={"description": "I will kill you, idiot"}).status_code == 200
    until(lambda: alice.video(video)["state"] == "review")
    assert bob.get(f"/api/v1/stream/{video}").status_code == 404
    history = file_of(mia, video)["history"]
    assert [one["after"] for one in history] == ["review", "open", "review"]
    assert len({str(one["models"]) for one in history}) == 1, "what was found in the pictures still counts"


def test_an_unfit_file_takes_no_place(alice: Api, bob: Api, mia: Api, films: dict[str, str]) -> None:
    """While models look at a new file, and after they have rejected it, others watch the old one; its owner is told."""
    video = films["park"]
    alice.wait_until(video, "ready")
    before = bob.stream(video)
    with posed("nudity_both_models").open("rb") as content:
        answer = alice.post(f"/api/v1/videos/{video}/source", files={"file": ("new.mp4", content)})
    assert answer.status_code == 202, answer.text
    seen = {before["package"]}
    while not (error := alice.video(video)["replacing"]["error"]):
        seen.add(bob.stream(video)["package"])
        time.sleep(0.1)
    assert (error["code"], "nudity" in error["detail"]) == ("file_rejected", True)
    assert seen == {before["package"]}
    assert bob.get(before["hls"]).status_code == 200
    verdict = file_of(mia, video)["history"][0]
    assert (verdict["new_file"], verdict["decision"], verdict["after"]) == (True, "reject", "open")
    until(lambda: "replacement_failed" in kinds_of_notices(alice, video))


def addresses(api: Api, video: str) -> list[str]:
    """Everything that somebody who may play a video fetches of it."""
    stream, found = api.stream(video), []
    waiting = [stream["hls"], stream["dash"], stream["poster"], stream["storyboard"]]
    while waiting:
        address = waiting.pop()
        if not address or address in found:
            continue
        found.append(address)
        answer = api.get(address).raise_for_status()
        if ".m3u8" in address:
            names = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
            names += [part.split('"')[1] for part in answer.text.split("URI=")[1:]]
            waiting += [str(httpx.URL(address).join(name)) for name in names]
    return found


def needles(site: RunningServer, video: str) -> dict[str, bytes]:
    """A piece out of every stored file with pictures in it: of the package, of the stills, of the evidence."""
    found = {}
    for name in stored(site.data, *(f"{folder}/{video}" for folder in ("videos", "stills", "evidence"))):
        if name.endswith((".m4s", ".mp4", ".jpg", ".mjpeg")):
            data = (site.data / "media" / name).read_bytes()
            found[name] = data[len(data) // 2 :][:PIECE]
    return found


def routes(video: str, verdict: str, method: str = "GET") -> list[str]:
    """Every address of the site that takes such requests, with the ids of the video in it."""
    values = {"video_id": video, "verdict_id": verdict, "number": "0", "rendition": "v320"}
    found = []
    for route in TABLE:
        taken, _, template = route.partition(" ")
        if taken == method and not template.endswith(("/events", "/stream", *ENDING)):
            filled = template
            for name in template.split("{")[1:]:
                name = name.partition("}")[0]
                filled = filled.replace(f"{{{name}}}", values.get(name, video))
            found += [filled, f"{filled}?q=shapes&owner=me"]
    return found


def test_nothing_of_a_rejected_video_leaves(
    site: RunningServer, alice: Api, bob: Api, mia: Api, films: dict[str, str]
) -> None:
    """What a moment ago could be watched is closed by a person: within ten seconds no address that was ever given out
    works, and no route gives anybody but moderators a byte of its pictures; its download and file are gone too."""
    video = films["gory"]
    alice.wait_until(video, "review")
    assert decide(mia, video, "approve").status_code == 200
    until(lambda: bob.get(f"/api/v1/stream/{video}").status_code == 200)
    given = [*addresses(bob, video), *addresses(alice, video)]
    assert len(given) > 15
    link = alice.post(f"/api/v1/videos/{video}/links", json={"expires_at": "2030-01-01T00:00:00Z"}).json()
    assert decide(mia, video, "reject").status_code == 422, "its owner is to be told why"
    assert decide(mia, video, "reject", "We show no meat here.").status_code == 200
    with site.client() as nobody:
        within(WITHIN, lambda: all(nobody.get(one).status_code in (403, 404) for one in given))
        opened = nobody.get(link["url"], follow_redirects=True)
        assert opened.status_code == 404
        verdict = file_of(mia, video)["verdict"]["id"]
        wanted = needles(site, video)
        assert any(name.startswith("evidence/") for name in wanted)
        for who in (nobody, bob, alice):
            for address in routes(video, verdict):
                content = who.get(address).content
                leaked = [name for name, piece in wanted.items() if piece in content]
                assert leaked == [], address
        for address in routes(video, verdict, "POST"):
            for who in (nobody, bob):
                content = who.post(address, json={}).content
                assert not [name for name, piece in wanted.items() if piece in content], address
    assert alice.video(video)["state"] == "rejected"
    seen = mia.get(addresses(mia, video)[-1]).content
    assert seen, "moderators can still look"


def test_decisions_are_taken_back(alice: Api, bob: Api, mia: Api, site: RunningServer, films: dict[str, str]) -> None:
    """Undoing brings back what was before, and the video waits once more; every act stands in the audit log."""
    video = films["doubtful"]
    alice.wait_until(video, "review")
    assert decide(mia, video, "approve").json()["history"][0]["by"] == "person"
    assert bob.get(f"/api/v1/stream/{video}").status_code == 200
    undone = mia.post(f"/api/v1/moderation/{video}/undo").raise_for_status().json()
    assert undone["case"]["cause"] == "undone"
    assert undone["video"]["state"] == "review"
    assert bob.get(f"/api/v1/stream/{video}").status_code == 404
    assert mia.post(f"/api/v1/moderation/{video}/undo").json()["code"] == "nothing_to_undo"
    log = site.client("root@example.org").get("/api/v1/admin/audit", params={"limit": 200}).json()["items"]
    acts = [one["act"] for one in log if one["details"].get("video") == video]
    assert acts[:3] == ["decision_undone", "video_approved", "video_held"]


def test_two_reviewers_never_hold_one(site: RunningServer, alice: Api, mia: Api, films: dict[str, str]) -> None:
    """A claimed case is one reviewer's: others can neither claim nor decide it, unless they take it over."""
    video = films["doubtful"]
    alice.wait_until(video, "review")
    root = site.client("root@example.org")
    claimed = mia.post(f"/api/v1/moderation/{video}/claim").raise_for_status().json()
    assert claimed["reviewer"] == "Mia"
    assert root.post(f"/api/v1/moderation/{video}/claim").json()["code"] == "claimed_by_other"
    assert decide(root, video, "approve").json()["code"] == "claimed_by_other"
    taken = root.post("/api/v1/moderation/claim")
    assert taken.status_code == 409 or taken.json()["id"] != video
    assert root.post(f"/api/v1/moderation/{video}/claim", params={"over": "true"}).status_code == 200
    assert decide(mia, video, "approve").json()["code"] == "claimed_by_other"
    assert root.delete(f"/api/v1/moderation/{video}/claim").status_code == 204
    assert mia.post(f"/api/v1/moderation/{video}/claim").status_code == 200
    assert mia.delete(f"/api/v1/moderation/{video}/claim").status_code == 204


def poison(data: Path) -> None:
    """Another file in the place of a model, as long as it; the tests' own copy stays as it is."""
    path = data / "models" / "open-nsfw.onnx"
    size = path.stat().st_size
    path.unlink()
    path.write_bytes(b"x" * size)


def take_away(data: Path) -> None:
    """A model that was there is not."""
    (data / "models" / "open-nsfw.onnx").unlink()


def add_hungry(data: Path) -> None:
    """A model of one's own for fights, which wants more memory than there is."""
    content = onnx_models.hungry(data / "models" / "hungry.onnx")
    text = onnx_models.manifest("hungry", content, labels=["bad"], aspect="fights")
    (data / "models" / "hungry.toml").write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("harm", "aspect", "state"),
    [(poison, "nudity", "partly"), (take_away, "nudity", "partly"), (add_hungry, "fights", "failed")],
    ids=["poisoned", "missing", "hungry"],
)
def test_a_model_that_does_not_look_approves_nothing(
    site: RunningServer, alice: Api, bob: Api, mia: Api, harm: Any, aspect: str, state: str
) -> None:
    """A harmless film, and a model that is not whole, not there, or breaks: a person looks, and sees the gap."""
    try:
        harm(site.data)
        video = send(alice, "park", title=f"The park with a {harm.__name__}")
        alice.wait_until(video, "review")
        verdict = file_of(mia, video)["verdict"]
        assert (verdict["risk"], verdict["decision"]) == ("unknown", "review")
        assert looks(verdict)[aspect] == state
        assert [one["aspect"] for one in verdict["looked"] if one["held"]] == [aspect]
        assert bob.get(f"/api/v1/videos/{video}").status_code == 404
    finally:
        for name in ("hungry.toml", "hungry.onnx", "open-nsfw.onnx"):
            (site.data / "models" / name).unlink(missing_ok=True)
        lend_again(site.data)
    assert mia.post(f"/api/v1/moderation/{video}/screen").status_code == 202
    alice.wait_until(video, "ready")


def lend_again(data: Path) -> None:
    """Bring back what a test has taken away."""
    for path in (data / "models").glob("*.onnx"):
        path.unlink()
    lend(data)


def test_looking_at_everything_anew_says_first_what_would_change(
    site: RunningServer, alice: Api, bob: Api, mia: Api, films: dict[str, str]
) -> None:
    """After models have gone, a dry run finds that what they approved would be held; only applying makes it so."""
    alice.wait_until(films["park"], "ready")
    root = site.client("root@example.org")
    take_away(site.data)
    try:
        run = root.post("/api/v1/moderation/rescreens").raise_for_status().json()
        place = f"/api/v1/moderation/rescreens/{run['id']}"
        until(lambda: mia.get(place).json()["state"] == "looked", PATIENCE)
        found = mia.get(place).json()
        assert found["total"] == found["done"] > 5
        changes = mia.get(f"{place}/changes").raise_for_status().json()["items"]
        assert found["changed"] == len(changes) >= 1
        mine = next(one for one in changes if one["video_id"] == films["park"])
        assert (mine["before"], mine["after"], mine["applied"]) == ("open", "review", False)
        assert bob.get(f"/api/v1/stream/{films['park']}").status_code == 200, "nothing has changed yet"
        assert mia.post(f"{place}/apply").status_code == 403
        assert root.post(f"{place}/apply").status_code == 200
        until(lambda: mia.get(place).json()["state"] == "applied", PATIENCE)
        assert bob.get(f"/api/v1/stream/{films['park']}").status_code == 404
    finally:
        lend_again(site.data)
