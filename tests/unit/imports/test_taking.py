"""From a file in a folder to a video: whose, how, by which policy, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from streamhost.db import quotas, users
from streamhost.features.imports import contents
from streamhost.hookspecs import Offer, Refused
from streamhost.model.imports import Mark, Policy, Wishes
from streamhost.model.videos import Visibility
from tests.unit.imports.conftest import Bench, Benches


async def test_a_file_becomes_a_video(bench: Bench) -> None:
    """It is moved into storage, belongs to the first administrator, is private, and is called after its name."""
    path = bench.put("Holidays/2024/my_trip.mp4")
    before = path.read_bytes()
    await bench.run()
    video = (await bench.videos())["My trip"]
    assert bench.stored(video).read_bytes() == before
    assert (video.visibility.value, video.tags) == ("private", ("holidays", "2024"))
    assert video.owner_name == "root@example.org"
    assert not path.exists()
    assert await bench.states() == {"my_trip.mp4": "imported"}


async def test_wishes_count_more_than_settings(bench: Bench) -> None:
    """Owner, visibility, policy and tags of one import; the folder's names are tags all the same."""
    bench.put("sea/a.mp4")
    async with bench.host.db.read() as conn:
        alice = await users.by_email(conn, "alice@example.org")
    assert alice is not None
    await bench.run(Wishes(Policy.KEEP, alice.id, Visibility.PUBLIC, ("mine",)))
    video = (await bench.videos())["A"]
    assert (video.owner_id, video.visibility, video.tags) == (alice.id, Visibility.PUBLIC, ("mine", "sea"))
    assert (bench.folder / "sea/a.mp4").exists()


async def test_a_folder_named_like_an_account(bench: Bench) -> None:
    """What lies in `import/alice@example.org/` is hers; her address is no tag."""
    bench.put("alice@example.org/sea/a.mp4")
    await bench.run()
    video = (await bench.videos())["A"]
    assert (video.owner_name, video.tags) == ("alice@example.org", ("sea",))


@pytest.mark.parametrize("policy", ["keep", "link"])
async def test_a_library_stays_where_it_is(tmp_path: Path, benches: Benches, policy: str) -> None:
    """Kept files are copied, linked ones have two names; neither is imported twice, and both stay."""
    async with benches.at(tmp_path / "data", imports__policy=policy) as bench:
        path = bench.put("a.mp4")
        await bench.run()
        assert (await bench.run()).news == 0
        (video,) = (await bench.videos()).values()
        assert bench.stored(video).read_bytes() == path.read_bytes()
        assert bench.stored(video).samefile(path) is (policy == "link")


async def test_another_file_system(tmp_path: Path, benches: Benches) -> None:
    """From another file system a file is copied, then removed; a hard link is not possible and says so."""
    other = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        async with benches.at(tmp_path / "data", imports__folders=(str(other),)) as bench:
            bench.folder = other
            path = bench.put("a.mp4")
            assert path.stat().st_dev != (tmp_path / "data").stat().st_dev, "the test needs two file systems"
            await bench.run()
            (video,) = (await bench.videos()).values()
            assert bench.stored(video).stat().st_size == video.source_size
            assert not path.exists()
            bench.put("b.mp4", b"b")
            await bench.run(Wishes(Policy.LINK))
            linked = (await bench.files())["b.mp4"]
            assert linked.error is not None
            assert (linked.state.value, linked.error.code) == ("failed", "import_not_linked")
            # By another policy it goes.
            await bench.run(Wishes(Policy.KEEP))
            assert (await bench.states())["b.mp4"] == "imported"
    finally:
        shutil.rmtree(other)


async def test_what_is_no_film_stays_and_is_listed(bench: Bench) -> None:
    """A file that only pretends is looked into where it lies; its cause is told, and a better one gets its chance."""
    path = bench.folder / "fake.mp4"
    path.write_bytes(b"This is no film." * 100)
    bench.put("good.mp4")
    await bench.run()
    fake = (await bench.files())["fake.mp4"]
    assert fake.error is not None
    assert (fake.state.value, fake.error.code, path.exists()) == ("failed", "not_media", True)
    assert (await bench.states())["good.mp4"] == "imported"
    assert list(await bench.videos()) == ["Good"]
    assert (await bench.run()).news == 0, "it is not tried again and again"
    bench.put("fake.mp4", b"another")
    await bench.run()
    assert (await bench.states())["fake.mp4"] == "imported"


async def test_mistakes_in_details_hold_a_film_back(bench: Bench) -> None:
    """A wrong visibility does not fall back to another one; corrected, the film comes in."""
    bench.put("a.mp4")
    beside = bench.folder / "a.json"
    beside.write_text('{"visibility": "pubic"}')
    await bench.run()
    held = (await bench.files())["a.mp4"]
    assert held.error is not None and "visibility" in held.error.detail
    assert (held.state.value, await bench.videos()) == ("failed", {})
    beside.write_text('{"visibility": "public", "title": "The sea", "published_at": "2020-01-02"}')
    await bench.run()
    video = (await bench.videos())["The sea"]
    assert (video.visibility.value, video.published_at) == ("public", 1577923200.0)
    assert list(bench.folder.iterdir()) == [], "what was moved takes along what was beside it"


async def test_what_changes_beside_a_film_is_not_lost(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Details that somebody corrects at the last moment are not removed unread with the film."""
    bench.put("a.mp4")
    beside = bench.folder / "a.json"
    beside.write_text('{"title": "The sea"}')
    removed = contents.removed

    def corrected(path: bytes, mark: Mark | str) -> bool:
        """Remove it, just after somebody has written to what lies beside."""
        beside.write_text('{"title": "The sea, once more"}')
        return removed(path, mark)

    monkeypatch.setattr(contents, "removed", corrected)
    await bench.run()
    assert (list(await bench.videos()), list(bench.folder.iterdir())) == (["The sea"], [beside])


async def test_a_password_is_kept_as_a_hash(bench: Bench) -> None:
    """A film that a password opens: what is stored is not the password; without one it is held back."""
    bench.put("a.mp4")
    (bench.folder / "a.json").write_text('{"visibility": "password", "password": "open sesame"}')
    bench.put("b.mp4", b"b")
    (bench.folder / "b.json").write_text('{"visibility": "password"}')
    await bench.run()
    video = (await bench.videos())["A"]
    assert video.password_hash is not None and video.password_hash.startswith("$argon2id$")
    assert (await bench.states())["b.mp4"] == "failed"


async def test_quota_and_size(tmp_path: Path, benches: Benches) -> None:
    """Over quota a film waits and says so; larger than the site takes it fails. Given more, it comes in."""
    size = benches.clip.stat().st_size
    async with benches.at(tmp_path / "data", uploads__max_size=size + 100, uploads__quota_videos=1) as bench:
        bench.put("a.mp4")
        bench.put("b.mp4", b"b")
        bench.put("large.mp4", b"b" * 1000)
        await bench.run()
        files = await bench.files()
        assert {name: (file.state.value, file.error and file.error.code) for name, file in files.items()} == {
            "a.mp4": ("imported", None),
            "b.mp4": ("waiting", "over_quota"),
            "large.mp4": ("failed", "import_too_large"),
        }
        async with bench.host.db.write() as conn:
            root = await users.by_email(conn, "root@example.org")
            assert root is not None
            await quotas.set_limits(conn, root.id, quotas.Amount(None, 2))
        assert await bench.host.imports.desk.retry_all() == 2
        await bench.run()
        assert (await bench.states())["b.mp4"] == "imported"


async def test_no_room(tmp_path: Path, benches: Benches) -> None:
    """Where a copy would take room that is to stay free, the film waits; it is not lost, and nothing is left over."""
    async with benches.at(tmp_path / "data", uploads__keep_free=10**17, imports__policy="keep") as bench:
        bench.put("a.mp4")
        await bench.run()
        file = (await bench.files())["a.mp4"]
        assert file.error is not None
        assert (file.state.value, file.error.code) == ("waiting", "import_no_room")
        assert [path for path in (tmp_path / "data/taking").rglob("*") if path.is_file()] == []


async def test_no_owner(tmp_path: Path, benches: Benches) -> None:
    """Without the account that is to own it a film waits, and says for whom."""
    async with benches.at(tmp_path / "data", imports__owner="nobody@example.org") as bench:
        bench.put("a.mp4")
        await bench.run()
        file = (await bench.files())["a.mp4"]
        assert file.error is not None
        assert (file.state.value, file.error.code) == ("waiting", "import_no_owner")
        assert "nobody@example.org" in file.error.detail


async def test_strange_names(bench: Bench) -> None:
    """Line breaks, bytes that are no text, emoji, and names as long as they can be."""
    names = [b"a\nb.mp4", b"\xff\xfe.mp4", "猫🎬.mp4".encode(), b"x" * 251 + b".mp4", b"A.MP4", b"a.mp4"]
    for number, name in enumerate(names):
        path = os.path.join(os.fsencode(bench.folder), name)
        with open(path, "wb") as file:
            file.write(bench.clip.read_bytes() + bytes([number]))
    await bench.run()
    assert set((await bench.states()).values()) == {"imported"}
    assert len(await bench.files()) == len(names)
    assert len(list(bench.folder.iterdir())) == 0


async def test_links_lead_nowhere(bench: Bench, tmp_path: Path) -> None:
    """A link to a film elsewhere is listed and not followed; a linked folder is not searched; a pipe is nothing."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "private.mp4").write_bytes(bench.clip.read_bytes())
    (bench.folder / "link.mp4").symlink_to(secret / "private.mp4")
    (bench.folder / "folder").symlink_to(secret)
    os.mkfifo(bench.folder / "pipe.mp4")
    await bench.run()
    assert await bench.states() == {"link.mp4": "failed"}
    assert await bench.videos() == {}


async def test_a_folder_swapped_for_a_link(bench: Bench, tmp_path: Path) -> None:
    """A folder that becomes a link between search and taking does not lead out either."""
    bench.put("sub/a.mp4")
    await bench.search()
    elsewhere = tmp_path / "elsewhere"
    (bench.folder / "sub").rename(elsewhere)
    (bench.folder / "sub").symlink_to(elsewhere)
    await bench.host.imports.take_all(lambda _file: None, lambda _file: True)
    assert await bench.videos() == {}
    assert (elsewhere / "a.mp4").exists()


async def test_plugins_are_asked(bench: Bench) -> None:
    """A file that a plugin refuses stays where it is, with the plugin's reason; it is told what is known of it."""
    offers: list[Offer] = []

    async def gate(offer: Offer) -> None:
        offers.append(offer)
        raise Refused("Not on Sundays.")

    bench.host.imports._taking._gate = gate
    path = bench.put("a.mp4")
    (bench.folder / "a.json").write_text('{"description": "Water."}')
    await bench.run()
    file = (await bench.files())["a.mp4"]
    assert file.error is not None and "Not on Sundays." in file.error.detail
    assert (file.state.value, path.exists(), await bench.videos()) == ("failed", True, {})
    (offer,) = offers
    assert (offer.filename, offer.size) == ("a.mp4", path.stat().st_size)
    assert offer.details == {"title": "A", "visibility": "private", "description": "Water."}


async def test_json_of_the_site_is_not_a_film(bench: Bench) -> None:
    """Files that are neither films nor beside one are left alone."""
    (bench.folder / "notes.json").write_text(json.dumps({"title": "x"}))
    (bench.folder / "readme.txt").write_text("x")
    assert (await bench.run()).files == 0
    assert len(list(bench.folder.iterdir())) == 2
