"""The set-up of a checkout: pip's configuration reaches uv, nothing is done twice, and what is missing is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import prepare

PIP = [sys.executable, "-m", "pip"]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which neither pip nor uv is told of anything."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT", "PIP_DEFAULT_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    for name in (*prepare.PIP_TO_UV.values(), "UV_INDEX_STRATEGY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(prepare, "STAMPS", tmp_path / "stamps")


def configure(tmp_path: Path, text: str) -> None:
    (tmp_path / "pip.conf").write_text(f"[global]\n{text}\n")


def test_what_pip_is_told_uv_is_told(tmp_path: Path) -> None:
    """Indexes, wheels on disk, certificates and time-outs come from pip's file."""
    configure(
        tmp_path,
        "index-url = https://packages.example.org/simple\n"
        "extra-index-url =\n    https://one.example.org/simple\n    file:///srv/simple\n"
        "find-links = /srv/wheels /srv/more\ncert = /srv/ca.pem\ntimeout = 90",
    )
    env = prepare.uv_environment(PIP)
    assert env["UV_DEFAULT_INDEX"] == "https://packages.example.org/simple"
    assert env["UV_INDEX"] == "https://one.example.org/simple file:///srv/simple"
    assert env["UV_FIND_LINKS"] == "/srv/wheels,/srv/more"
    assert env["SSL_CERT_FILE"] == "/srv/ca.pem"
    assert env["UV_HTTP_TIMEOUT"] == "90"
    assert env["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_pips_variables_beat_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for pip itself."""
    configure(tmp_path, "index-url = https://file.example.org/simple")
    monkeypatch.setenv("PIP_INDEX_URL", "https://variable.example.org/simple")
    assert prepare.uv_environment(PIP)["UV_DEFAULT_INDEX"] == "https://variable.example.org/simple"


def test_what_uv_is_told_itself_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever configures uv means uv."""
    configure(tmp_path, "index-url = https://file.example.org/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example.org/simple")
    assert prepare.uv_environment(PIP)["UV_DEFAULT_INDEX"] == "https://uv.example.org/simple"


def test_without_configuration_nothing_is_added() -> None:
    """uv's own defaults stay."""
    env = prepare.uv_environment(PIP)
    assert not set(env) & {"UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_INDEX_STRATEGY"}


def test_stamps_remember_content() -> None:
    """Work is remembered for the same content only."""
    assert not prepare.stamped("x", prepare.digest(["a"]))
    prepare.stamp("x", prepare.digest(["a"]))
    assert prepare.stamped("x", prepare.digest(["a"]))
    assert not prepare.stamped("x", prepare.digest(["b"]))


def test_an_environment_that_works_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run does not make the environment anew; a broken one is replaced."""
    venv = tmp_path / "venv"
    inside = prepare.create(venv, sys.executable)
    (venv / "mine").write_text("")
    assert prepare.create(venv, sys.executable) == inside
    assert (venv / "mine").exists()
    inside.unlink()
    prepare.create(venv, sys.executable)
    assert not (venv / "mine").exists()


def test_an_old_python_is_refused(tmp_path: Path) -> None:
    """The message says how to name another."""
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    with pytest.raises(prepare.SetupFailed, match="PYTHON="):
        prepare.create(tmp_path / "venv", str(old))


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without apt, or without the rights for it, the packages to install are named."""
    monkeypatch.setattr("shutil.which", lambda *_args, **_more: None)
    with pytest.raises(prepare.SetupFailed, match="chromium curl eatmydata ffmpeg"):
        prepare.system(["test"])
    monkeypatch.setattr("shutil.which", lambda name, **_more: "apt" if name == "apt-get" else None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(prepare.SetupFailed, match="as root: apt-get"):
        prepare.system(["test"])


def test_nothing_missing_nothing_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every program in place, no package manager is called."""
    monkeypatch.setattr("shutil.which", lambda name, **_more: f"/usr/bin/{name}")
    monkeypatch.setattr(prepare, "apt_install", lambda _names: pytest.fail("it was called"))
    prepare.system(["test", "bench"])
