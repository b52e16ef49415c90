"""What is known already: renamed, moved, copied, changed and deleted files, and what changes beside them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from streamhost.db import captions, replacements, users
from streamhost.db import imports as rows
from streamhost.features.imports.errors import NotRetriable
from streamhost.model.accounts import Viewer
from streamhost.model.imports import ImportState, Policy, Wishes
from streamhost.model.videos import Video
from tests.unit.imports.conftest import Bench, Benches

KEEP = Wishes(Policy.KEEP)
SRT = "1\n00:00:00,100 --> 00:00:00,900\nHello\n"


async def only_video(bench: Bench) -> Video:
    """The one video that there is."""
    (video,) = (await bench.videos()).values()
    return video


async def test_a_renamed_file_is_the_same_video(bench: Bench) -> None:
    """Renamed, put into another folder, or its folder renamed: no second video, and its title stays."""
    path = bench.put("a.mp4")
    await bench.run(KEEP)
    before = await only_video(bench)
    path.rename(bench.folder / "b.mp4")
    await bench.run(KEEP)
    (bench.folder / "sub").mkdir()
    (bench.folder / "b.mp4").rename(bench.folder / "sub/c.mp4")
    await bench.run(KEEP)
    (bench.folder / "sub").rename(bench.folder / "other")
    await bench.run(KEEP)
    assert await only_video(bench) == before
    (file,) = (await bench.files()).values()
    assert (file.path, file.state) == (os.fsencode(bench.folder / "other/c.mp4"), ImportState.IMPORTED)


async def test_a_file_copied_elsewhere_and_deleted_is_the_same_video(bench: Bench) -> None:
    """A move across file systems is a copy and a deletion: the content tells. A mere copy is a duplicate."""
    path = bench.put("a.mp4")
    await bench.run(KEEP)
    before = await only_video(bench)
    shutil.copyfile(path, bench.folder / "b.mp4")
    await bench.run(KEEP)
    assert await bench.states() == {"a.mp4": "imported", "b.mp4": "duplicate"}
    shutil.copyfile(path, bench.folder / "c.mp4")
    (bench.folder / "b.mp4").unlink()
    path.unlink()
    await bench.run(KEEP)
    assert await bench.states() == {"c.mp4": "imported"}
    assert await only_video(bench) == before


async def test_what_only_looks_alike_is_no_duplicate(bench: Bench) -> None:
    """Two files that differ in one byte between the places that are looked at are two videos."""
    filler = bytes(400_000)
    bench.put("a.mp4", filler)
    bench.put("b.mp4", filler[:80_000] + b"x" + filler[80_001:])
    await bench.run(KEEP)
    files = await bench.files()
    assert files["a.mp4"].fingerprint == files["b.mp4"].fingerprint, "the test is about files that look alike"
    assert set(await bench.videos()) == {"A", "B"}


async def test_other_content_takes_the_place_of_a_videos_file(bench: Bench) -> None:
    """The same video gets the new file; touched without a change nothing happens."""
    path = bench.put("a.mp4")
    await bench.run(KEEP)
    video = await only_video(bench)
    os.utime(path, (1, 1))
    await bench.run(KEEP)
    async with bench.host.db.read() as conn:
        assert await replacements.get(conn, video.id) is None
    bench.put("a.mp4", b"more")
    await bench.run(KEEP)
    async with bench.host.db.read() as conn:
        new = await replacements.get(conn, video.id)
    assert new is not None and new.source_size == path.stat().st_size
    assert (await only_video(bench)).id == video.id
    assert await bench.states() == {"a.mp4": "imported"}
    assert (await bench.run(KEEP)).news == 0


async def test_changes_can_be_ignored(tmp_path: Path, benches: Benches) -> None:
    """With `on_change` ignore the video stays as it is."""
    async with benches.at(tmp_path / "data", imports__on_change="ignore") as bench:
        bench.put("a.mp4")
        await bench.run(KEEP)
        bench.put("a.mp4", b"more")
        await bench.run(KEEP)
        async with bench.host.db.read() as conn:
            assert await replacements.get(conn, (await only_video(bench)).id) is None


async def test_a_drop_folder_can_be_used_again_and_again(bench: Bench) -> None:
    """Where files are moved away, the next one of the same name is another video."""
    for number in range(3):
        bench.put("recording.mp4", bytes([number]))
        await bench.run()
    async with bench.host.db.read() as conn:
        assert (await rows.counts(conn))[ImportState.IMPORTED] == 3


async def test_a_missing_file_is_noted_and_comes_back(bench: Bench) -> None:
    """Its video stays; found again, it is as before."""
    path = bench.put("a.mp4")
    await bench.run(KEEP)
    away = bench.folder.parent / "away.mp4"
    path.rename(away)
    found = await bench.run(KEEP)
    assert await bench.states() == {"a.mp4": "missing"}
    assert found.error is not None and found.error.code == "import_folder_emptied"
    away.rename(path)
    assert (await bench.run(KEEP)).error is None
    assert await bench.states() == {"a.mp4": "imported"}
    assert len(await bench.videos()) == 1


async def test_deleted_files_can_take_their_videos_along(tmp_path: Path, benches: Benches) -> None:
    """With `on_missing` delete: one that is gone for long is deleted; when a folder is emptied nothing is."""
    wished = {"imports__policy": "keep", "imports__on_missing": "delete", "imports__missing_hours": 0.0}
    async with benches.at(tmp_path / "data", **wished) as bench:
        bench.believe()
        for number in range(12):
            bench.put(f"{number}.mp4", bytes([number]))
        await bench.run()
        (bench.folder / "3.mp4").unlink()
        await bench.run()
        await bench.host.imports.tidy_missing(await bench.search())
        assert len(await bench.videos()) == 11
        for path in bench.folder.iterdir():
            path.unlink()
        bench.put("new.mp4", b"new")
        await bench.host.imports.tidy_missing(await bench.search())
        assert len(await bench.videos()) == 11


async def test_a_deleted_video_stays_deleted(bench: Bench) -> None:
    """A file whose video somebody deleted is not imported again by itself, even when it changes; on demand it is."""
    bench.put("a.mp4")
    await bench.run(KEEP)
    async with bench.host.db.write() as conn:
        await bench.host.trash.remove(conn, (await only_video(bench)).id)
    bench.put("a.mp4", b"changed")
    await bench.run(KEEP)
    assert await bench.videos() == {}
    (file,) = (await bench.files()).values()
    await bench.host.imports.desk.retry(file.id)
    await bench.run(KEEP)
    assert len(await bench.videos()) == 1
    with pytest.raises(NotRetriable):
        await bench.host.imports.desk.retry(file.id)


async def test_a_half_written_file_waits(tmp_path: Path, benches: Benches) -> None:
    """A file that is open for writing is not taken in, however long nothing is written."""
    async with benches.at(tmp_path / "data") as bench:
        path = bench.put("a.mp4")
        await bench.search()
        with path.open("ab"):
            for _ in range(3):
                await bench.host.imports.step()
            assert await bench.states() == {"a.mp4": "settling"}
        await bench.host.imports.step()
        assert (await bench.states())["a.mp4"] in ("waiting", "taking")


async def test_a_growing_file_waits(tmp_path: Path, benches: Benches) -> None:
    """Each change begins the wait anew."""
    async with benches.at(tmp_path / "data", imports__settle_seconds=3600.0) as bench:
        bench.put("a.mp4")
        await bench.search()
        await bench.host.imports.step()
        before = (await bench.files())["a.mp4"]
        bench.put("a.mp4", b"more")
        await bench.search()
        after = (await bench.files())["a.mp4"]
        assert after.state is ImportState.SETTLING
        assert after.updated_at > before.updated_at and after.mark.size > before.mark.size


async def test_captions_and_poster(bench: Bench) -> None:
    """Captions in their languages and a poster come along; changed or added later they follow, once each."""
    bench.put("a.mp4")
    (bench.folder / "a.json").write_text('{"language": "fr", "title": "The sea"}')
    (bench.folder / "a.srt").write_text(SRT)
    (bench.folder / "a.de.forced.srt").write_text(SRT)
    (bench.folder / "a.en.vtt").write_text("no captions at all")
    shutil.copyfile(Path(__file__).parents[3] / "docs/explanation/pictures" / a_picture(), bench.folder / "a.png")
    await bench.run(KEEP)
    video = await only_video(bench)
    async with bench.host.db.read() as conn:
        found = await captions.of_video(conn, video.id)
    assert [(one.language, one.forced) for one in found] == [("de", True), ("fr", False)]
    assert video.poster_key is not None
    (file,) = (await bench.files()).values()
    errors = {one.name: bool(one.error) for one in file.sidecars}
    assert errors == {"a.json": False, "a.srt": False, "a.de.forced.srt": False, "a.en.vtt": True, "a.png": False}
    (bench.folder / "a.en.vtt").write_text("WEBVTT\n\n00:00.100 --> 00:00.900\nHello\n")
    (bench.folder / "a.srt").write_text(SRT.replace("Hello", "Bonjour"))
    (bench.folder / "a.json").write_text('{"language": "fr", "title": "The ocean"}')
    await bench.search(KEEP)
    await attach(bench)
    async with bench.host.db.read() as conn:
        again = await captions.of_video(conn, video.id)
    assert [one.language for one in again] == ["de", "en", "fr"]
    assert {one.id for one in again} & {one.id for one in found} == {found[0].id}, "only the changed one is new"
    assert (await only_video(bench)).title == "The ocean"
    await bench.search(KEEP)
    (file,) = (await bench.files()).values()
    assert not file.owed


async def test_what_people_edit_stays(bench: Bench) -> None:
    """A title that was edited on the site is not undone by a search that finds nothing new."""
    bench.put("a.mp4")
    (bench.folder / "a.json").write_text('{"title": "From the file"}')
    await bench.run(KEEP)
    video = await only_video(bench)
    async with bench.host.db.read() as conn:
        owner = await users.get(conn, video.owner_id)
    await bench.host.catalog.edit(video.id, Viewer(owner), {"title": "Edited"})
    await bench.run(KEEP)
    await attach(bench)
    assert (await only_video(bench)).title == "Edited"


async def attach(bench: Bench) -> None:
    """Attach what is due, as the job of the server would."""
    for file in (await bench.files()).values():
        await bench.host.imports.take(file.id)


def a_picture() -> str:
    """Some picture of the documentation."""
    folder = Path(__file__).parents[3] / "docs/explanation/pictures"
    return next(path.name for path in sorted(folder.iterdir()) if path.suffix == ".png")


async def test_no_right_to_remove(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be moved away is not half imported: it fails, and comes in by another policy."""
    path = bench.put("a.mp4")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda _path, _mode: False)
        await bench.run()
    file = (await bench.files())["a.mp4"]
    assert file.error is not None
    assert (file.error.code, path.exists(), await bench.videos()) == ("import_not_removed", True, {})
    await bench.run(KEEP)
    assert await bench.states() == {"a.mp4": "imported"}


async def test_no_right_to_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that cannot be searched are listed, and what is known in them is not taken for gone."""
    bench.put("sub/a.mp4")
    await bench.run(KEEP)
    shut = os.fsencode(bench.folder / "sub")
    real = os.scandir

    def scandir(path: bytes) -> object:
        if path == shut:
            raise PermissionError(13, "Permission denied")
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", scandir)
        await bench.run(KEEP)
        assert await bench.states() == {"a.mp4": "imported", "sub/": "failed"}
    await bench.run(KEEP)
    assert await bench.states() == {"a.mp4": "imported"}
