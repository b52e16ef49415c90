"""What somebody at a terminal gets: bars that move and go, completed words; and plain lines through a pipe."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from streamhost.cli.bars import left_text, speed_text, step_text
from tests.support.catalogs import instance_at
from tests.support.command import afar, run
from tests.support.server import RunningServer, clean_environment
from tests.support.terminal import answered

PROGRAM = Path(sys.executable).with_name("streamhost")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
SHELLS = {
    "bash": ({"COMP_WORDS": "streamhost jobs li", "COMP_CWORD": "2"}, "plain,list\n"),
    "zsh": ({"COMP_WORDS": "streamhost jobs li", "COMP_CWORD": "2"}, "plain\nlist\nList jobs, newest first.\n"),
    "fish": ({"COMP_WORDS": "streamhost jobs", "COMP_CWORD": "li"}, "plain,list\tList jobs, newest first.\n"),
}
"""What each shell asks by, and what the program answers."""


def terminal(**more: str) -> dict[str, str]:
    """The environment of a terminal that can draw, 100 signs wide."""
    there = clean_environment(TERM="xterm-256color", COLUMNS="100", LINES="40", **more)
    return {name: value for name, value in there.items() if name != "NO_COLOR"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with some media."""
    found = tmp_path_factory.mktemp("site") / "data"
    instance_at(found)
    for number in range(30):
        file = found / "media" / "videos" / f"v{number}" / "package" / "0.m4s"
        file.parent.mkdir(parents=True)
        file.write_bytes(bytes(300_000))
    return found


def piped(*words: str, env: Mapping[str, str]) -> str:
    """Everything that a command says where nobody looks."""
    ended = subprocess.run([PROGRAM, *words], env=env, capture_output=True, text=True, timeout=150, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def test_bars_are_drawn_for_people_alone(data: Path, tmp_path: Path) -> None:
    """On a terminal there is a bar with sizes, which is gone at the end, and the cursor is back; through a pipe neither
    bars nor anything else that only a terminal understands."""
    command = ["backup", "--data", str(data), "--media"]
    code, screen = answered([str(PROGRAM), *command, str(tmp_path / "one")], [], terminal())
    assert code == 0, screen
    drawn, _, left = screen.rpartition("\x1b[?25h")
    assert "\x1b[?25l" in drawn and "\u2501" in drawn
    assert re.search(r"[\d.]+(?:/[\d.?]+)? .?i?B", drawn), drawn
    assert "\u2501" not in left and "one" in screen
    told = piped(*command, str(tmp_path / "two"), env=terminal())
    assert "two" in told and not CONTROLS.search(told) and "\u2501" not in told


def test_an_upload_has_a_bar(site: RunningServer, tmp_path: Path) -> None:
    """With the file's name as it is, whatever signs are in it: no markup, no orders to the terminal."""
    file = tmp_path / "a [bold] \x1b]0;owned\x07 film.mp4"
    file.write_bytes(bytes(2_000_000))
    env = terminal(**afar(site.client("alice@example.org")), XDG_STATE_HOME=str(tmp_path))
    code, screen = answered([str(PROGRAM), "videos", "upload", str(file)], [], env)
    assert code == 0, screen
    assert "Uploading" in screen and "a [bold]  ]0;owned  film.mp4" in screen
    assert "\x1b]0;" not in screen
    told = piped("videos", "upload", str(file), env=env)
    assert not CONTROLS.search(told) and "/watch/" in told


def test_watching_at_a_terminal(site: RunningServer, tmp_path: Path) -> None:
    """A bar for each video that stays when the work is over, under the title as it was given."""
    file = tmp_path / "letter.mp4"
    file.write_bytes(b"Dear film," * 1000)
    alice = site.client("alice@example.org")
    video = alice.upload(file, title="[red]Not[/blue] a film")
    alice.wait_until(video, "failed")
    command = [str(PROGRAM), "jobs", "watch", f"video:{video}"]
    code, screen = answered(command, [], terminal(**afar(alice)))
    assert code == 1
    assert "[red]Not[/blue] a film" in screen and "\u2501" in screen and "not_media" in screen


def test_words_beside_bars() -> None:
    """What is done, how fast, how long still; nothing where that is not known."""
    assert [step_text(step) for step in ("encode", "dance")] == ["encoding", "dance"]
    assert [speed_text(speed) for speed in (None, 3.21)] == ["", "3.2x"]
    assert [left_text(seconds) for seconds in (None, 7.4, 3723)] == ["", "0:07 left", "1:02:03 left"]


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_of_each_shell(shell: str) -> None:
    """The script is for that shell and this program, and what it asks is answered in the shell's own form."""
    script = run("completion", shell).stdout
    assert f"_STREAMHOST_COMPLETE={shell}_complete" in script
    assert {"zsh": "#compdef streamhost", "fish": "complete --no-files --command streamhost"}.get(shell, "") in script
    asked, answer = SHELLS[shell]
    env = clean_environment(**asked, _STREAMHOST_COMPLETE=f"{shell}_complete")
    ended = subprocess.run([PROGRAM], env=env, capture_output=True, text=True, check=True)
    assert ended.stdout == answer


def test_tab_in_bash(tmp_path: Path) -> None:
    """In a real bash with the script: commands, commands below them, options and their values come by Tab."""
    env = terminal(PS1="ready> ", HOME=str(tmp_path), PATH=f"{PROGRAM.parent}:/usr/bin:/bin", INPUTRC="/dev/null")
    asked = [
        ("ready> ", f"source <({PROGRAM.name} completion bash)"),
        ("ready> ", "streamhost jo\tli\t--sta\tfai\t--data /nowhere"),
        ("ready> ", "echo $?; exit"),
    ]
    code, screen = answered(["/bin/bash", "--norc", "--noprofile", "-i"], asked, env)
    assert code == 0, screen
    assert "streamhost jobs list --state failed --data /nowhere" in screen
    assert "There is no catalog" in screen


def test_tab_in_zsh(tmp_path: Path) -> None:
    """The same in a real zsh, which finds the script where its people keep theirs: every Tab counts, not only the first
    one, which loads the script. zsh draws its line in pieces, and is asked for what it ran."""
    functions = tmp_path / "functions"
    functions.mkdir()
    (functions / "_streamhost").write_text(run("completion", "zsh").stdout)
    env = terminal(HOME=str(tmp_path), PATH=f"{PROGRAM.parent}:/usr/bin:/bin", PS1="ready> ", ZDOTDIR=str(tmp_path))
    asked = [
        ("ready> ", f"fpath=({functions} $fpath); autoload -Uz compinit && compinit -u -D && echo com''plete"),
        ("complete", "streamhost jo\tli\t--sta\tfai\t--data /nowhere"),
        ("There is no catalog", "fc -ln -1; exit"),
    ]
    _, screen = answered(["/usr/bin/zsh", "-f", "-i"], asked, env)
    assert "\nstreamhost jobs list --state failed --data /nowhere\n" in screen


def test_suggestions_of_fish(tmp_path: Path) -> None:
    """A real fish suggests commands, commands below them, options and their values, each with what it is for."""
    script = tmp_path / ".config/fish/completions/streamhost.fish"
    script.parent.mkdir(parents=True)
    script.write_text(run("completion", "fish").stdout)
    places = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config")}
    env = terminal(PATH=f"{PROGRAM.parent}:/usr/bin:/bin", **places)

    def suggested(line: str) -> str:
        asked = ["fish", "--command", f"complete --do-complete '{line}'"]
        return subprocess.run(asked, env=env, capture_output=True, text=True, check=True).stdout

    assert suggested("streamhost jo").startswith("jobs\t")
    assert suggested("streamhost jobs li").startswith("list\t")
    assert suggested("streamhost jobs list --sta").startswith("--state\t")
    assert suggested("streamhost jobs list --state fai").split() == ["failed"]
