"""`streamhost serve` as a real process: starting, stopping, refusing."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from streamhost import __version__
from streamhost.instance import Purpose, open_instance
from streamhost.model.clock import system_clock
from streamhost.model.grants import Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.videos import package_prefix
from tests.support.command import document, run
from tests.support.house import PASSWORD
from tests.support.processes import alive, at_ease
from tests.support.server import Api, RunningServer, clean_environment, until
from tests.support.tus import Line

VIDEO, PACKAGE, SESSION = VideoId("servedvideo00001"), PackageId("servedpackage001"), SessionId("somebodyssession")
LARGE = 64 * 1024 * 1024


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `streamhost` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "streamhost", *arguments],
        capture_output=True,
        text=True,
        timeout=150,
        env=clean_environment(**settings),
        check=False,
    )


@contextlib.contextmanager
def serving(*arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """`streamhost serve` with these arguments, stopped at the end; wait for what it prints on stdout."""
    process = subprocess.Popen(
        [sys.executable, "-m", "streamhost", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=clean_environment(**settings),
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def large_file(server: RunningServer) -> str:
    """Put a large segment into the storage; answers its path on the server."""
    path = server.data / "media" / package_prefix(VIDEO, PACKAGE) / "v720" / "0.m4s"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(LARGE)
    grants = Grants(open_instance(server.data).keys.ring(Purpose.GRANTS), system_clock, 600)
    return f"/s/{grants.issue(VIDEO, PACKAGE, SESSION)[0]}/{VIDEO}/v720/0.m4s"


def test_first_start_makes_a_private_place_and_prints_the_way_in(tmp_path: Path) -> None:
    """Directory, catalog and secrets are there, nobody else may read them, and the setup link opens a page."""
    server = RunningServer(tmp_path / "data").start(from_nothing=True)
    server.stop()
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.data / "secrets.json").stat().st_mode) == 0o600
    assert (server.data / "catalog.sqlite3").exists()
    assert server.setup_url.startswith(f"{server.url}/setup?token=")
    token = server.setup_url.partition("token=")[2]
    assert token not in (server.data / "secrets.json").read_text()


def test_a_stop_is_clean_and_a_restart_finds_everything(server: RunningServer) -> None:
    """SIGTERM ends it with 0; the same directory starts again with the same secrets."""
    secrets = (server.data / "secrets.json").read_bytes()
    assert server.stop() == 0
    assert (server.data / "instance.lock").read_text() == ""
    server.restart()
    assert (server.data / "secrets.json").read_bytes() == secrets


def test_interrupt_stops_too(server: RunningServer) -> None:
    """Ctrl-C is no error."""
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(60) == 0


def test_a_download_is_finished_before_the_end(tmp_path: Path) -> None:
    """SIGTERM in mid-download: every byte still arrives, new connections are refused, then the server ends with 0."""
    server = RunningServer(tmp_path / "data", STREAMHOST_SERVER_SHUTDOWN_SECONDS="600").start()
    path = large_file(server)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=150)
    connection.sock = socket.create_connection(("127.0.0.1", server.port), timeout=150)
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.request("GET", path)
    response = connection.getresponse()
    got = len(response.read(100_000))
    server.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        except OSError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the server still takes new connections")
    while piece := response.read(1_000_000):
        got += len(piece)
    assert got == LARGE
    connection.close()
    assert server.process.wait(60) == 0


def test_sign_ins_under_way_are_finished_before_the_end(tmp_path: Path) -> None:
    """SIGTERM to every process, as service managers send it, while three wait for their hashes: all three come in, no
    process is left, and there was no trouble."""
    costly = {"STREAMHOST_ACCOUNTS_ARGON2_MEMORY_KIB": "65536", "STREAMHOST_ACCOUNTS_ARGON2_ROUNDS": "6"}
    server = RunningServer(tmp_path / "data", STREAMHOST_SERVER_SHUTDOWN_SECONDS="60", **costly).start()
    server.add_user("alice@example.org")
    alice = server.client("alice@example.org")
    (hashing,) = server.hashing_children()
    hashing.suspend()  # until all three wait for it
    body = json.dumps({"email": "alice@example.org", "password": PASSWORD}).encode()
    said = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    coming = [Line(alice).head("POST", "/api/v1/auth/login", **said).send(body) for _ in range(3)]
    at_ease(server.process.pid)
    worked = sum(hashing.cpu_times()[:2])
    hashing.resume()
    until(lambda: sum(hashing.cpu_times()[:2]) > worked)
    for process in (hashing.pid, server.process.pid):
        os.kill(process, signal.SIGTERM)
    assert [one.status() for one in coming] == [200] * 3
    assert server.process.wait(60) == 0
    assert not alive([hashing])
    assert "hasher_lost" not in server.output
    assert "Traceback" not in server.output


def test_idle_connections_do_not_hold_it_up(tmp_path: Path) -> None:
    """Browsers keep connections open; an idle one is closed when the server stops, though it had patience."""
    server = RunningServer(tmp_path / "data", STREAMHOST_SERVER_SHUTDOWN_SECONDS="600").start()
    idle = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=150) for _ in range(3)]
    for connection in idle:
        connection.request("GET", "/livez")
        connection.getresponse().read()
    untouched = socket.create_connection(("127.0.0.1", server.port))
    assert server.stop() == 0
    assert "Requests were cut off" not in server.output
    untouched.close()


def test_a_stalled_client_cannot_hold_it_up_for_ever(tmp_path: Path) -> None:
    """Who does not read on is cut off after server.shutdown_seconds."""
    server = RunningServer(tmp_path / "data", STREAMHOST_SERVER_SHUTDOWN_SECONDS="1").start()
    path = large_file(server)
    with socket.create_connection(("127.0.0.1", server.port)) as stalled:
        stalled.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        stalled.recv(1000)
        assert server.stop() == 0
    assert "Requests were cut off" in server.output


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    """Whoever asks twice does not wait for downloads, which would have had ten minutes."""
    server = RunningServer(tmp_path / "data", STREAMHOST_SERVER_SHUTDOWN_SECONDS="600").start()
    path = large_file(server)
    with socket.create_connection(("127.0.0.1", server.port)) as stalled:
        stalled.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        stalled.recv(1000)
        server.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 150
        while "The server is stopping" not in server.output:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(60)


def test_a_second_server_is_refused_by_name(server: RunningServer) -> None:
    """Exit code 4, and the error says which process holds the directory and where it listens."""
    second = command("serve", "--data", str(server.data), "--port", "0")
    assert second.returncode == 4
    assert f"process {server.process.pid} at {server.url}" in second.stderr
    assert "Traceback" not in second.stderr
    assert httpx.get(f"{server.url}/readyz").status_code == 200


def test_a_killed_server_leaves_no_obstacle(server: RunningServer) -> None:
    """kill -9, then the next start works at once."""
    server.kill()
    assert str(server.process.pid) in (server.data / "instance.lock").read_text()
    server.restart()
    assert httpx.get(f"{server.url}/readyz").status_code == 200


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """Exit code 1 with the port and a hint; the port of another server is never shared."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = command("serve", "--data", str(tmp_path / "data"), "--port", str(port))
    assert result.returncode == 1
    assert f"127.0.0.1 port {port}: address already in use" in result.stderr
    assert "--port 0" in result.stderr
    assert "Traceback" not in result.stderr


def test_two_servers_do_not_share_a_port(server: RunningServer, tmp_path: Path) -> None:
    """Also when the other program is this one, on another directory."""
    result = command("serve", "--data", str(tmp_path / "other"), "--port", str(server.port))
    assert result.returncode == 1
    assert "already in use" in result.stderr


def test_an_address_of_another_machine_is_told(tmp_path: Path) -> None:
    """An address that is not ours, or no address at all: a sentence and a hint."""
    for host in ("192.0.2.1", "no-such-host.invalid"):
        result = command("serve", "--data", str(tmp_path / "data"), "--host", host, "--port", "0")
        assert result.returncode == 1
        assert "cannot listen" in result.stderr
        assert "Hint:" in result.stderr


def test_a_directory_that_cannot_be_used_is_told() -> None:
    """Where no directory can be made, not even by root: the path, what is wrong, what to do."""
    result = command("serve", "--data", "/proc/streamhost", "--port", "0")
    assert result.returncode == 1
    assert "/proc/streamhost" in result.stderr
    assert "Hint:" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_setting_stops_the_start(tmp_path: Path) -> None:
    """Exit code 3, with the name, what is wrong, what is allowed; nothing was made."""
    result = command("serve", "--data", str(tmp_path / "data"), STREAMHOST_MEDIA_PRESET="quick")
    assert result.returncode == 3
    assert "media.preset" in result.stderr
    assert "'quick'" in result.stderr
    assert "veryfast" in result.stderr
    assert not (tmp_path / "data").exists()


def test_ipv6(tmp_path: Path) -> None:
    """An IPv6 address is listened on, and printed as browsers want it; where there is none, that is said."""
    if not has_ipv6():
        refused = command("serve", "--data", str(tmp_path / "data"), "--host", "::1", "--port", "0")
        assert (refused.returncode, "Hint:" in refused.stderr) == (1, True), refused.stderr
        return
    with serving("--data", str(tmp_path / "data"), "--host", "::1", "--port", "0") as process:
        url = first_url(process)
        assert url.startswith("http://[::1]:")
        assert httpx.get(f"{url}/livez").status_code == 200


def test_unix_socket(tmp_path: Path) -> None:
    """For a proxy on the same machine: a socket file, gone after the stop, renewed after a kill."""
    path = tmp_path / "streamhost.sock"
    arguments = ("--data", str(tmp_path / "data"), "--host", f"unix:{path}")
    for end in (signal.SIGKILL, signal.SIGTERM):
        with serving(*arguments) as process:
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
                assert answered(client, "http://localhost/readyz") == 200
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
            process.send_signal(end)
            process.wait(60)
    assert not path.exists()


def has_ipv6() -> bool:
    """Whether one can listen at the machine's own address of IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def first_url(process: subprocess.Popen[str]) -> str:
    """The address in the first line that the server prints."""
    assert process.stdout is not None
    return process.stdout.readline().split()[-1]


def answered(client: httpx.Client, url: str) -> int:
    """The status of the first answer that is not a refusal to connect."""
    deadline = time.monotonic() + 150
    while True:
        try:
            answer = client.get(url)
            if answer.status_code != 503 or time.monotonic() > deadline:
                return answer.status_code
        except httpx.TransportError:
            assert time.monotonic() < deadline
        time.sleep(0.05)


def test_help_and_version() -> None:
    """Quick words of the command line."""
    assert command("--version").stdout == f"streamhost {__version__}\n"
    assert "serve" in command("--help").stdout
    assert command("nonsense").returncode == 2


def test_config_show(tmp_path: Path) -> None:
    """Every setting with its value and where it comes from, as JSON for scripts."""
    (tmp_path / "streamhost.toml").write_text("[server]\nport = 9000\n")
    ours = {"STREAMHOST_SERVER_SITE_NAME": "Ours"}
    shown = document(run("config", "show", "--json", "--data", str(tmp_path), env=ours))
    assert shown["data"]["value"] == str(tmp_path)
    assert shown["server.port"]["value"] == 9000
    assert "streamhost.toml" in shown["server.port"]["origin"]
    assert shown["server.site_name"] == {"value": "Ours", "origin": "STREAMHOST_SERVER_SITE_NAME"}
    assert shown["server.host"] == {"value": "127.0.0.1", "origin": "default"}
    assert "server.port = 9000" in run("config", "show", "--data", str(tmp_path)).stdout


def test_config_check(tmp_path: Path) -> None:
    """0 when all is well, 3 with every mistake when not."""
    assert run("config", "check", "--data", str(tmp_path)).exit_code == 0
    (tmp_path / "streamhost.toml").write_text("[server]\nport = 99999\nprot = 1\n")
    result = run("config", "check", "--data", str(tmp_path))
    assert result.exit_code == 3
    assert "server.port" in result.stderr
    assert "server.prot" in result.stderr


@pytest.mark.slow
def test_a_demo_shows_its_films_and_leaves_nothing(tmp_path: Path) -> None:
    """Its people can sign in with the password that it prints; its three films are made by the pipeline; with the
    server its directory goes."""
    with serving("--demo", "--port", "0", TMPDIR=str(tmp_path)) as process:
        url = first_url(process)
        assert process.stdout is not None
        email, password, _ = next(line for line in process.stdout if "@example.org" in line).split()
        api = Api(url)
        api.sign_in(email, password)

        def ready() -> bool:
            items = api.get("/api/v1/videos").raise_for_status().json()["items"]
            return [item["state"] for item in items] == ["ready"] * 3

        until(ready, 480)
        process.terminate()
        assert process.wait(150) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_is_stopped_at_once_leaves_nothing(tmp_path: Path) -> None:
    """While the first film is being generated, too."""
    with serving("--demo", "--port", "0", TMPDIR=str(tmp_path)) as process:
        first_url(process)
        process.terminate()
        assert process.wait(150) == 0
    assert list(tmp_path.iterdir()) == []
