"""The examples do what their pages say, on this machine."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from streamhost.config import fields
from tests.house.tree import ROOT
from tests.support.clips import small_clip
from tests.support.server import RunningServer, clean_environment

EXAMPLES = ROOT / "examples"
VARIABLES = {field.variable for field in fields()} | {"STREAMHOST_DATA"}
INSTRUCTIONS = {"FROM", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "CMD"}


def test_minimal() -> None:
    """Set up, started, a video uploaded and ready, and everything ended again."""
    command = [sys.executable, str(EXAMPLES / "minimal" / "try.py"), "--once"]
    ended = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended
    assert "Colour bars: ready to play" in ended.stdout
    assert "Sign in at http://127.0.0.1:" in ended.stdout


def test_api_client(site: RunningServer) -> None:
    """From a password to a playlist, with what any Python brings."""
    command = [sys.executable, str(EXAMPLES / "api-client" / "client.py"), site.url, "alice@example.org"]
    environment = {"PASSWORD": "correct horse battery", "PATH": "/usr/bin:/bin"}
    film = [str(small_clip()), "--title", "By a script"]
    ended = subprocess.run([*command, *film], env=environment, capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended
    made = json.loads(ended.stdout)
    assert httpx.get(made["hls"]).text.startswith("#EXTM3U")
    assert site.client("alice@example.org").video(made["id"])["tags"] == ["by a script"]
    wrong = {**environment, "PASSWORD": "wrong"}
    refused = subprocess.run([*command, *film], env=wrong, capture_output=True, text=True, timeout=150)
    assert refused.returncode == 1 and "bad_credentials" in refused.stderr


def test_systemd_unit(tmp_path: Path) -> None:
    """systemd takes the unit without a complaint, and the settings in it exist."""
    text = (EXAMPLES / "systemd" / "streamhost.service").read_text("utf-8")
    spoken = set(re.findall(r"STREAMHOST_\w+", text))
    assert {name.removesuffix("_FILE") for name in spoken} <= VARIABLES
    # The program is not where the unit says, and its user is not there, on a machine that only tests.
    unit = tmp_path / "streamhost.service"
    unit.write_text(text.replace("/opt/streamhost/bin/streamhost", sys.executable).replace("=streamhost\n", "=root\n"))
    said = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, "")
    assert re.search(r"(?m)^ExecStart=/opt/streamhost/bin/streamhost serve$", text)


def instructions() -> list[tuple[str, str]]:
    """The instructions of the container file, with their words."""
    text = (EXAMPLES / "container" / "Containerfile").read_text("utf-8")
    lines = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    return [(word, rest) for line in lines if line.strip() for word, _, rest in [line.strip().partition(" ")]]


def test_container_file() -> None:
    """As far as a machine without an engine can tell: known instructions, no root at the end, settings that exist, what
    is copied is there, the health check is a program that works, and the server starts by a command that there is."""
    found = instructions()
    assert {word for word, _ in found} == INSTRUCTIONS
    assert found[0][0] == "FROM" and [rest for word, rest in found if word == "USER"] == ["streamhost"]
    stages = {rest.split(" AS ")[-1] for word, rest in found if word == "FROM"}
    copied = [rest.split() for word, rest in found if word == "COPY"]
    assert copied[0] == [".", "/source"] and copied[1][0].removeprefix("--from=") in stages
    left_out = (EXAMPLES.parent / ".dockerignore").read_text("utf-8").split()
    assert {".cache", ".git", ".venv*"} <= set(left_out), "data, secrets and history are no part of an image"
    assert {
        name for word, rest in found if word == "ENV" for name in re.findall(r"(STREAMHOST_\w+)=", rest)
    } <= VARIABLES
    commands = [json.loads(rest[rest.index("[") :]) for word, rest in found if word in ("CMD", "HEALTHCHECK")]
    assert commands[1] == ["streamhost", "serve"]
    compile(commands[0][2], "health check", "exec")
    for word, rest in found:
        if word == "RUN":
            assert subprocess.run(["sh", "-n", "-c", rest]).returncode == 0
            assert shlex.split(rest)


def test_compose_file() -> None:
    """Its settings exist, it builds the file beside it, and nothing is opened to the network."""
    text = (EXAMPLES / "container" / "compose.yaml").read_text("utf-8")
    spoken = set(re.findall(r"(STREAMHOST_\w+):", text))
    assert {name.removesuffix("_FILE") for name in spoken} <= VARIABLES
    assert (
        EXAMPLES / "container" / re.findall(r"context: (\S+)", text)[0] / re.findall(r"dockerfile: (\S+)", text)[0]
    ).exists()
    assert re.findall(r'- "([^"]*:8000:8000)"', text) == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_every_example_has_a_page_and_a_test(name: str) -> None:
    """Each has a README that names the files that it is about, and is looked at by one of the tests of all this."""
    tests = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "plugins").glob("*/tests/test_*.py")]
    assert any(f'"{name}"' in test.read_text("utf-8") for test in tests)
    text = (EXAMPLES / name / "README.md").read_text("utf-8")
    assert text.startswith("# ")
    for path in re.findall(rf"examples/{name}/([\w.-]+)", text):
        assert (EXAMPLES / name / path).exists(), path
