"""The settings file, changed where it stands."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from streamhost.config import (
    Field,
    SettingsChanged,
    SettingsNotWritable,
    edited,
    fields,
    load,
    read_sheet,
    value_from,
    write_sheet,
)
from streamhost.model.errors import InvalidInput

WRITTEN = """\
# Our club
[server]
# what people see
site_name = "Film club"   # agreed in March
port = 9000

[media]
heights = [
    1080, # big
    480,
]
"""
KNOWN = {field.key: field for field in fields()}


def changed(path: Path, **changes: Any) -> str:
    """The file's text after changes by key, with `__` for the dot."""
    sheet = read_sheet(path)
    wanted: list[tuple[Field, Any]] = [(KNOWN[key.replace("__", ".")], value) for key, value in changes.items()]
    write_sheet(sheet, edited(sheet, wanted))
    return path.read_text()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A settings file that somebody wrote with care."""
    file = tmp_path / "streamhost.toml"
    file.write_text(WRITTEN)
    return file


def test_comments_and_order_stay(path: Path) -> None:
    """A value is replaced in its line, a new one and a new table come at the end of theirs, and nothing else moves."""
    after = changed(path, server__site_name="Kino", server__indexing=False, mail__host="smtp.example.org")
    expected = WRITTEN.replace('"Film club"', '"Kino"').replace("port = 9000\n", "port = 9000\nindexing = false\n")
    assert after == expected + '\n[mail]\nhost = "smtp.example.org"\n'
    assert load(path.parent, {}).mail.host == "smtp.example.org"


def test_taken_out(path: Path) -> None:
    """A setting that goes back to its default leaves the file, and one that is not in it stays out."""
    after = changed(path, server__port=None, uploads__max_size=None)
    assert after == WRITTEN.replace("port = 9000\n", "")


def test_a_file_that_was_not_there(tmp_path: Path) -> None:
    """It is made, for its owner alone."""
    path = tmp_path / "streamhost.toml"
    changed(path, media__heights=(720, 360))
    assert load(tmp_path, {}).media.heights == (720, 360)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What lies elsewhere is changed there, and keeps its mode; a secret takes the right to read from others."""
    real = tmp_path / "etc.toml"
    real.write_text(WRITTEN)
    real.chmod(0o644)
    (tmp_path / "streamhost.toml").symlink_to(real)
    changed(tmp_path / "streamhost.toml", server__site_name="Kino")
    assert (tmp_path / "streamhost.toml").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o644
    sheet = read_sheet(real)
    write_sheet(sheet, edited(sheet, [(KNOWN["mail.password"], "secret")]), secret=True)
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_two_at_once(path: Path) -> None:
    """Whoever comes second with what they read before is refused, and the file is the first one's."""
    first, second = read_sheet(path), read_sheet(path)
    write_sheet(first, edited(first, [(KNOWN["server.site_name"], "First")]))
    with pytest.raises(SettingsChanged):
        write_sheet(second, edited(second, [(KNOWN["server.site_name"], "Second")]))
    assert "First" in path.read_text()
    assert [one.name for one in path.parent.iterdir()] == [path.name], "nothing is left beside it"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is said in words, with what to do."""
    sheet = read_sheet(tmp_path / "gone" / "streamhost.toml")
    with pytest.raises(SettingsNotWritable, match="No such file"):
        write_sheet(sheet, "")


@pytest.mark.parametrize(
    ("key", "said", "value"),
    [
        ("server.port", "8080", 8080),
        ("server.indexing", "false", False),
        ("media.heights", "720, 360", (720, 360)),
        ("media.heights", '["720", "360"]', (720, 360)),
        ("server.trusted_proxies", "[]", ()),
        ("limits.enabled", True, True),
        ("log.level", "debug", "debug"),
    ],
)
def test_values_as_people_say_them(key: str, said: Any, value: Any) -> None:
    """Words of a form or a command become what TOML knows."""
    assert value_from(KNOWN[key], said) == value


@pytest.mark.parametrize(("key", "said"), [("server.port", "ninety"), ("server.port", "70000"), ("log.level", "loud")])
def test_values_that_cannot_be(key: str, said: str) -> None:
    """The refusal names the setting and what it may be."""
    with pytest.raises(InvalidInput) as caught:
        value_from(KNOWN[key], said)
    assert caught.value.fields[key].startswith("It must be ")
