"""The first tutorial, walked as a newcomer would: the pages it speaks of, and its commands as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accounts import make_administrator
from tests.browser.conftest import Visit
from tests.browser.support import ROOT, wait_for_time
from tests.support.clips import small_clip
from tests.support.server import RunningServer, clean_environment
from tests.support.server import until as wait_until

pytestmark = pytest.mark.slow
TUTORIAL = ROOT / "docs" / "tutorials" / "first-video.md"
STEP = re.compile(r"^## (\d)\. .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS, BACKUP = "http://127.0.0.1:8000", "/tmp/my-first-backup"


class Checkout:
    """The folder in which the reader sits, with a server that `make serve` would have started there."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / ".venv" / "bin").mkdir(parents=True)
        program = place / ".venv" / "bin" / "streamhost"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m streamhost "$@"\n')
        program.chmod(0o755)
        (place / ".cache").mkdir()
        self.server = RunningServer(place / ".cache" / "data").start()

    def typed(self, step: str) -> str:
        """What the commands of a step print, all of which must go well."""
        text = next(found[0] for found in STEP.finditer(TUTORIAL.read_text("utf-8")) if found[1] == step)
        script = "\n".join(BLOCK.findall(text)).replace(ADDRESS, self.server.url)
        script = script.replace(BACKUP, str(self.place / "backup"))
        ran = subprocess.run(
            ["bash", "-c", f"set -e\n{script}"],
            cwd=self.place,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


def play(page: Page) -> None:
    """Start, and see time go on."""
    page.locator("[data-start]").click()
    wait_for_time(page, 0.2)


def moved_in(page: Page, server: RunningServer) -> None:
    """Step 2: the account by the printed link, and past the first steps."""
    make_administrator(page, server, "Film club")
    expect(page.get_by_role("radio", name="Private home")).to_be_checked()
    page.get_by_role("button", name="Choose and go on").click()
    page.wait_for_url(f"{server.url}/setup/storage")
    for step in ("mail", "models", "done"):
        page.get_by_role("link", name=re.compile("^(Skip|Go on)$")).click()
        page.wait_for_url(f"{server.url}/setup/{step}")
    page.get_by_role("link", name="Upload your first video").click()


def edited(page: Page, label: str) -> None:
    """Open *Edit* beside the video, choose something, and save."""
    page.get_by_role("link", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Edit video")
    if label.startswith("Clear Key"):
        dialog.get_by_text("Protection of the files").click()
    dialog.get_by_role("radio", name=label).check()
    dialog.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Your changes are saved.")).to_be_visible()


def test_the_tutorial_works_as_it_stands(tmp_path: Path, visit: Visit) -> None:
    """From the printed link to a video that is watched, protected and proposed beside another, and a site that is well
    and put away."""
    reader = Checkout(tmp_path / "streamhost")
    server = reader.server
    try:
        page = visit(server.url).page()
        moved_in(page, server)
        page.locator("[data-files]").set_input_files(small_clip())
        upload = page.get_by_role("region", name="Uploads").get_by_role("listitem").first
        expect(page.locator(".upload")).to_have_attribute("data-phase", "ready")
        upload.get_by_role("link", name="Watch").click()
        play(page)
        edited(page, "Clear Key, cenc")
        root, video = server.client("root@example.org"), page.url.partition("/watch/")[2].partition("?")[0]
        wait_until(lambda: root.stream(video)["protection"] == "cenc")
        page.reload()
        play(page)
        assert page.evaluate("document.querySelector('video').mediaKeys !== null")
        shutil.copyfile(small_clip(), reader.place / "holiday.mp4")
        assert "Holiday" in reader.typed("6")
        # Where there was nothing to propose that is believed for a moment.
        wait_until(lambda: root.get(f"/api/v1/videos/{video}/related").json()["items"])
        edited(page, "Public")
        related = page.get_by_role("region", name="Related videos")
        expect(related.get_by_text(re.compile("New here|Popular here|Similar to"))).to_have_count(1)
        related.get_by_role("link", name="Holiday").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Holiday")
        play(page)
        said = reader.typed("8")
        assert "0 do not work" in said and (reader.place / "backup").is_dir()
    finally:
        server.stop()
