"""Plugins as people meet them: begun, installed, listed, set, called, broken, and at work in a server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from streamhost.cli.scaffold import KINDS, write
from streamhost.model.errors import InvalidInput
from tests.support.clips import small_clip
from tests.support.plugged import FIRST_PARTY, PluginEnvironment
from tests.support.plugged import ROOT as CHECKOUT
from tests.support.server import RunningServer, until

pytestmark = pytest.mark.slow
NAMES = {kind: f"my-{kind}" for kind in KINDS}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a new plugin of every kind."""
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="module")
def beside(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> PluginEnvironment:
    """An environment in which all of them are installed."""
    made = PluginEnvironment(tmp_path_factory.mktemp("beside") / "venv")
    for kind, name in NAMES.items():
        write(name, kind, packages / f"streamhost-{name}")
    made.install(*(packages / f"streamhost-{name}" for name in NAMES.values()))
    return made


def told(ran: subprocess.CompletedProcess[str]) -> Any:
    """What a command said as JSON."""
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_what_is_begun_works(beside: PluginEnvironment, packages: Path) -> None:
    """The tests of every new plugin pass as they were written. (Those of a notifier, in the tutorial.)"""
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-o", "asyncio_mode=auto", "--rootdir=."]
    folders = [f"streamhost-{name}/tests" for kind, name in NAMES.items() if kind != "notifier"]
    ran = beside.run("-m", "pytest", *options, *folders, cwd=packages)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "skipped" not in ran.stdout


def test_it_does_not_write_over_others(beside: PluginEnvironment, packages: Path) -> None:
    """A directory with something in it is left alone; odd names are refused."""
    ran = beside.streamhost("plugins", "new", NAMES["events"], cwd=packages)
    assert (ran.returncode, "something in that directory" in ran.stderr) == (1, True)
    for name in ("../up", "Upper", "streamhost", "a" * 33, "1a"):
        with pytest.raises(InvalidInput):
            write(name, "events", packages / "odd")
    assert not (packages / "odd").exists()


def test_list_and_info_tell_what_there_is(beside: PluginEnvironment, tmp_path: Path) -> None:
    """Versions, states, hooks, what is registered, settings and where they come from; what is wrong, of one alone."""
    (tmp_path / "streamhost.toml").write_text(
        '[plugins]\ndisabled = ["my-gate"]\n'
        '[plugins.my-events]\ngreting = "a"\n'
        '[plugins.my-storage]\ndirectory = "/a"\n'
    )
    data = ("--data", str(tmp_path), "--json")
    rows = {row["name"]: row for row in told(beside.streamhost("plugins", "list", *data))}
    assert {name: rows[name]["state"] for name in NAMES.values()} == {
        "my-cdn": "ready",
        "my-classifier": "ready",
        "my-events": "broken",
        "my-gate": "disabled",
        "my-keys": "ready",
        "my-notifier": "ready",
        "my-recommender": "ready",
        "my-storage": "ready",
    }
    assert "is plugins.my-events.greeting meant?" in rows["my-events"]["error"]
    storage = told(beside.streamhost("plugins", "info", "my-storage", *data))
    assert (storage["package"], storage["version"]) == ("streamhost-my-storage", "0.1.0")
    assert storage["hooks"] == ["register_settings", "register_storages"]
    assert storage["brings"] == ["storage my-storage"]
    assert storage["settings"][0]["value"] == "/a"
    assert storage["settings"][0]["origin"].endswith("streamhost.toml")
    assert beside.streamhost("plugins", "info", "my-events", *data).returncode == 3
    assert beside.streamhost("plugins", "info", "nobody", *data).returncode == 1


def test_their_settings_are_settings(beside: PluginEnvironment, tmp_path: Path) -> None:
    """`config show` and `config check` know them, and refuse what is wrong with the same exit code."""
    shown = told(
        beside.streamhost(
            "config", "show", "--json", "--data", str(tmp_path), STREAMHOST_PLUGINS_MY_EVENTS_GREETING="Hello"
        )
    )
    assert shown["plugins.my-events.greeting"] == {"value": "Hello", "origin": "STREAMHOST_PLUGINS_MY_EVENTS_GREETING"}
    assert beside.streamhost("config", "check", "--data", str(tmp_path)).returncode == 0
    ran = beside.streamhost("config", "check", "--data", str(tmp_path), STREAMHOST_PLUGINS_MY_EVENTS_GRETING="x")
    assert (ran.returncode, "GREETING meant?" in ran.stderr) == (3, True)


def test_their_commands_are_commands(beside: PluginEnvironment, tmp_path: Path) -> None:
    """Below the plugin's name; one that is disabled has none."""
    data = ("--data", str(tmp_path))
    assert beside.streamhost("my-events", *data, "greet").stdout == "New here!\n"
    assert "greet" in beside.streamhost("my-events", *data, "--help").stdout
    assert "my-events" in beside.streamhost("--help").stdout
    ran = beside.streamhost("my-events", *data, "greet", STREAMHOST_PLUGINS_DISABLED="my-events")
    assert (ran.returncode, "it is disabled" in ran.stderr) == (1, True)
    assert beside.streamhost("my-evnts").returncode == 2


@pytest.fixture(scope="module")
def site(beside: PluginEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server with all of them, and with every plugin of the project."""
    beside.install(*FIRST_PARTY, CHECKOUT / "examples" / "plugin-hello")
    running = RunningServer(
        tmp_path_factory.mktemp("site") / "data", STREAMHOST_TRACE_PLUGINS="1", STREAMHOST_PLUGINS_HELLO_NAME="Zoë"
    )
    running.python = beside.python
    running.start()
    running.add_user("root@example.org", "admin")
    running.add_user("alice@example.org", "creator")
    yield running
    running.stop()


def test_a_server_runs_with_every_plugin(site: RunningServer) -> None:
    """Their routes answer to those whom they are for, stand in the API's description, and calls are traced."""
    root, alice, nobody = site.client("root@example.org"), site.client("alice@example.org"), site.client()
    assert [who.get("/-/my-gate/words").status_code for who in (root, alice, nobody)] == [200, 403, 401]
    assert nobody.get("/-/hello/").json() == {"hello": "Zoë"}
    assert nobody.get("/-/my-gate/nothing").status_code == 404
    assert "/-/my-gate/words" in nobody.get("/api/openapi.json").json()["paths"]
    refused = alice.post("/api/v1/upload", data={"title": "Spam"}, files={"file": ("a.mp4", b"no film")})
    assert (refused.status_code, refused.json()["code"]) == (403, "refused_by_plugin")
    assert "plugin my-gate: before_upload(offer=" in site.output


def test_events_reach_them_with_a_video(site: RunningServer) -> None:
    """A file that is no video is told of too; the plugin's own work is done from the queue."""
    alice = site.client("alice@example.org")
    answer = alice.post("/api/v1/upload", data={"title": "No film"}, files={"file": ("a.mp4", b"no film")})
    assert answer.status_code == 202
    until(lambda: "plugin my-events: on_event(event=VideoFailed(" in site.output)


def test_a_film_goes_the_whole_way_with_all_of_them(site: RunningServer) -> None:
    """Uploaded, made, protected, looked at by the plugins' models, told of, found, played and deleted as without them;
    none of them has had any trouble."""
    alice, root = site.client("alice@example.org"), site.client("root@example.org")
    video = alice.upload(small_clip(), title="A film for all", visibility="public", protection="cenc")
    alice.wait_until(video, "ready")
    stream = site.client().get(f"/api/v1/stream/{video}").json()
    master = alice.get(stream["hls"])
    playlist = next(line for line in master.text.splitlines() if line.endswith(".m3u8") and line[0] != "#")
    folder = f"{stream['hls'].rpartition('/')[0]}/{playlist.rpartition('/')[0]}"
    name = next(line for line in alice.get(f"{folder}/index.m3u8").text.splitlines() if line.endswith(".m4s"))
    assert alice.get(f"{folder}/{name}").status_code == 200
    until(lambda: alice.get("/api/v1/search", params={"q": "film for all"}).json()["items"])
    until(lambda: "video_processed" in alice.get("/api/v1/notifications").text)
    until(lambda: "plugin my-events: on_event(event=VideoProcessed(" in site.output)
    assert alice.delete(f"/api/v1/videos/{video}").status_code == 204
    assert alice.get(f"{folder}/{name}").status_code == 403
    page = root.get("/admin/plugins", headers={"Accept": "text/html"}).text
    assert "my-events" in page
    assert "A plugin failed" not in site.output


def test_a_broken_plugin_stops_the_start_and_is_named(tmp_path: Path) -> None:
    """The server does not run half-heartedly; with the plugin disabled it runs."""
    package = tmp_path / "streamhost-broken"
    write("broken", "events", package)
    module = package / "src" / "streamhost_broken" / "__init__.py"
    module.write_text(module.read_text().replace("async def on_event(", "async def on_evnt("))
    alone = PluginEnvironment(tmp_path / "venv")
    alone.install(package)
    ran = alone.streamhost("serve", "--data", str(tmp_path / "data"), "--port", "0")
    assert ran.returncode == 1
    assert "broken: there is no hook on_evnt; is on_event meant?" in ran.stderr
    assert "STREAMHOST_PLUGINS_DISABLED=broken" in ran.stderr
    running = RunningServer(tmp_path / "data", STREAMHOST_PLUGINS_DISABLED="broken")
    running.python = alone.python
    assert running.start().stop() == 0
