"""The packages that people install: built, installed without Node into an empty environment, started, looked at."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from tests.support.server import ROOT

CHECKOUT = Path(__file__).resolve().parents[2]
TOOL = [sys.executable, str(CHECKOUT / "scripts" / "uv.py")]
START_SECONDS = 150.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the source archive, and with the wheel that was built from it."""
    out = tmp_path_factory.mktemp("built")
    subprocess.run([*TOOL, "build", "--quiet", "--out-dir", str(out)], check=True)
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """The wheel."""
    [found] = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that holds the wheel and what it asks for, and nothing else."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([*TOOL, "venv", "--quiet", "--python", sys.executable, str(venv)], check=True)
    limits = ["--constraint", str(CHECKOUT / "constraints.txt")]
    subprocess.run(
        [*TOOL, "pip", "install", "--quiet", "--python", str(venv), str(wheel), *limits], cwd=wheel.parent, check=True
    )
    return venv / "bin"


def bare_environment(programs: Path) -> dict[str, str]:
    """An environment in which only that installation can be found: no Node, no checkout, no settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STREAMHOST_", "PYTHON"))}
    return kept | {"PATH": str(programs), "HOME": str(programs.parent)}


@pytest.fixture(scope="module")
def site(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and first output of a server that runs from the installed wheel, outside any checkout."""
    place = tmp_path_factory.mktemp("site")
    log = place / "log"
    environment = bare_environment(installed)
    assert shutil.which("node", path=environment["PATH"]) is None
    with log.open("wb") as out:
        command = [str(installed / "streamhost"), "serve", "--data", str(place / "data"), "--port", "0"]
        process = subprocess.Popen(command, cwd=place, env=environment, stdout=out, stderr=out)
    try:
        yield wait_for_start(process, log)
    finally:
        process.terminate()
        assert process.wait(timeout=150) == 0, log.read_text()


def wait_for_start(process: subprocess.Popen[bytes], log: Path) -> tuple[str, str]:
    """The address it printed, once it answers there, and all it printed."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        address = re.search(r"http://[\d.]+:\d+", log.read_text())
        try:
            if address and httpx.get(f"{address[0]}/readyz").status_code == 200:
                return address[0], log.read_text()
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"no answer; it said:\n{log.read_text()}")


class Parts(HTMLParser):
    """The addresses that a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect scripts, styles, icons, pictures."""
        values = dict(attrs)
        name = {"script": "src", "img": "src", "link": "href", "use": "href"}.get(tag)
        if name and (address := values.get(name)):
            self.found.add(address)


def parts(page: str) -> set[str]:
    """What a page loads, by address."""
    reader = Parts()
    reader.feed(page)
    return reader.found


def test_wheel_holds_the_pages(wheel: Path) -> None:
    """Templates, and scripts and styles with their licences, travel in the wheel; tests and Node's modules do not."""
    names = zipfile.ZipFile(wheel).namelist()
    assert "streamhost/_web/dist/.vite/manifest.json" in names
    assert any(name.startswith("streamhost/_web/templates/") and name.endswith(".html") for name in names)
    for kind in (".js", ".css", ".js.gz", ".js.br"):
        assert any(name.startswith("streamhost/_web/dist/") and name.endswith(kind) for name in names), kind
    assert "streamhost/_web/dist/licences.txt" in names
    assert "streamhost/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.startswith("streamhost")} == set()
    assert not [name for name in names if "node_modules" in name or name.endswith((".ts", ".pyc"))]


def test_wheel_is_for_every_machine(wheel: Path) -> None:
    """One wheel serves every platform and every Python that the project supports."""
    assert wheel.name.endswith("-py3-none-any.whl")
    metadata = next(name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("METADATA"))
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    wanted = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    assert f"Requires-Python: {wanted['requires-python']}" in text
    assert "nodejs" not in text.lower().split("description-content-type")[0]


def test_source_archive_can_be_worked_on(built: Path) -> None:
    """The source archive holds what the build and the tests need, and the built pages, so that no npm is needed."""
    [archive] = built.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    wanted = {"LICENSE", "README.md", "Makefile", "hatch_build.py", "constraints.txt", "web/package-lock.json"}
    assert (wanted | {"web/dist/licences.txt", "scripts/prepare.py"}) - names == set()
    assert any(name.startswith("tests/unit/") for name in names)
    assert not [name for name in names if "node_modules" in name or name.startswith((".venv", ".cache"))]


def test_the_command_speaks(installed: Path) -> None:
    """The installed command knows its version."""
    said = subprocess.run(
        [str(installed / "streamhost"), "--version"], env=bare_environment(installed), capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    assert re.search(r"\d+\.\d+", said.stdout)


def test_first_start_offers_the_setup(site: tuple[str, str]) -> None:
    """A fresh installation prints a one-time link, and the link opens a form."""
    link = re.search(r"http://\S+/setup\?token=\S+", site[1])
    assert link, site[1]
    page = httpx.get(link[0])
    assert page.status_code == 200
    assert "<form" in page.text


@pytest.mark.parametrize("path", ["/", "/login"])
def test_pages_come_with_everything_they_load(site: tuple[str, str], path: str) -> None:
    """Each page of the wheel answers, and so does every script, style and picture it names."""
    with httpx.Client(base_url=site[0]) as browser:
        comes_with_everything(browser, path)


def comes_with_everything(browser: httpx.Client, path: str) -> None:
    """A page answers, and so does all that it loads, from here."""
    page = browser.get(path, follow_redirects=True)
    assert (page.status_code, page.url.path) == (200, path)
    assert page.headers["content-type"].startswith("text/html")
    loaded = {urljoin(str(page.url), address) for address in parts(page.text)}
    assert any(urlsplit(address).path.endswith(".js") for address in loaded)
    assert any(urlsplit(address).path.endswith(".css") for address in loaded)
    for address in sorted(loaded):
        assert urlsplit(address).netloc == page.url.netloc.decode(), f"{address} is somebody else's"
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert answer.content, address


def test_so_do_the_pages_of_the_first_administrator(site: tuple[str, str]) -> None:
    """The printed link makes the account and signs in; then the pages of uploads, of the account and of the site."""
    link = re.search(r"/setup\?token=(\S+)", site[1])
    assert link, site[1]
    with httpx.Client(base_url=site[0]) as browser:
        token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(link[0]).text)
        assert token
        form = {**ROOT, "token": link[1], "csrf_token": token[1]}
        assert browser.post("/setup", data=form).status_code == 303
        for path in ("/", "/upload", "/studio", "/library/later", "/account", "/admin"):
            comes_with_everything(browser, path)


def test_the_api_is_described(site: tuple[str, str]) -> None:
    """The installed server publishes its OpenAPI document."""
    document = httpx.get(f"{site[0]}/api/openapi.json")
    assert document.status_code == 200
    assert document.json()["openapi"].startswith("3.1")
