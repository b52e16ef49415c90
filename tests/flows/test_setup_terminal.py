"""`streamhost setup` for somebody who sits at a terminal: what it asks for, and what follows from the answers."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from tests.support.command import document, run
from tests.support.server import clean_environment
from tests.support.terminal import answered

PROGRAM = str(Path(sys.executable).with_name("streamhost"))
SECRET = "correct horse battery"
PLACE = [("Name of the site", "Films"), ("Address that people will type", "")]
ADMIN = [("Address of the administrator", "root@example.org")]
PASSWORD = [("Password", SECRET), ("Repeat for confirmation", SECRET)]
WHO = "Who uploads here?"


def set_up(data: Path, answers: list[tuple[str, str]]) -> str:
    """Answer the command's questions; what stood on the screen."""
    code, screen = answered([PROGRAM, "setup", "--data", str(data)], answers, clean_environment())
    assert code == 0, screen
    assert SECRET not in screen
    assert f"is a site with the administrator {ADMIN[0][1]}." in screen
    return screen


def profile(data: Path) -> tuple[str, bool]:
    """Which profile counts now, and whether the settings fix it."""
    policy = document(run("moderation", "policy", "--json", "--data", str(data)))
    return policy["profile"], policy["fixed"]


def test_who_uploads_is_asked_and_kept(tmp_path: Path) -> None:
    """The question says what each profile means; what is none of them is asked again, and the answer holds."""
    data = tmp_path / "site"
    screen = set_up(data, [*PLACE, *ADMIN, (WHO, "friends"), (WHO, "community"), *PASSWORD])
    assert "models look first" in screen and "'friends' is not one of" in screen
    assert profile(data) == ("community", False)
    assert tomllib.loads((data / "streamhost.toml").read_text())["server"]["site_name"] == "Films"


def test_nothing_said_is_a_private_home(tmp_path: Path) -> None:
    """Whoever only presses Enter has a site for people they trust."""
    data = tmp_path / "site"
    set_up(data, [*PLACE, *ADMIN, (WHO, ""), *PASSWORD])
    assert profile(data) == ("private-home", False)


def test_what_the_settings_say_is_not_asked(tmp_path: Path) -> None:
    """With a settings file that fixes the profile, only the administrator is asked for."""
    data = tmp_path / "site"
    data.mkdir()
    (data / "streamhost.toml").write_text('[moderation]\nprofile = "public"\n')
    screen = set_up(data, [*ADMIN, *PASSWORD])
    assert WHO not in screen and PLACE[0][0] not in screen
    assert profile(data) == ("public", True)
