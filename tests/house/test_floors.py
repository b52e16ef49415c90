"""The floors of the house: who may import whom, and which room owns which foreign package."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import PACKAGE, ROOT, imports, parsed, python_files, short

# Which parts may import a foreign package. A craft has one workshop, so that it can be replaced or loaded late.
OWNERS = {
    "aiosmtplib": ("notify",),
    "aiosqlite": ("db",),
    "argon2": ("hashing/child",),
    "av": ("media",),
    "click": ("cli",),
    "Crypto": ("caching", "media", "features/protection", "features/notifications", "features/backup"),
    "granian": ("server",),
    "h11": ("notify",),
    "httptools": ("server/straight",),
    "httpx": ("cli",),
    "itsdangerous": ("features/accounts",),
    "jinja2": ("server", "features/mail", "features/notifications"),
    "jwt": ("features/accounts",),
    "litestar": ("server",),
    "numpy": ("media", "ml"),
    "onnxruntime": ("ml",),
    "PIL": ("ml",),
    "platformdirs": ("config", "cli"),
    "pluggy": ("plugins", "hookspecs"),
    "python_multipart": ("server", "features/uploads"),
    "rapidocr": ("ml",),
    "rich": ("cli",),
    "sqlite3": ("db",),
    "sqlite_utils": ("db",),
    "uvloop": ("server", "cli"),
    "valkey": ("server",),
    "watchfiles": ("features/imports",),
}

# Modules that only turn facts into other facts or text: nothing foreign, no files, no clock of their own.
PURE = ("model", "media/hls.py", "media/dash.py", "media/ladder.py")
IMPURE = {"asyncio", "os", "pathlib", "shutil", "socket", "subprocess", "tempfile", "threading", "logging"}
PURE_BUT = {("model/clock.py", "time"), ("model/tasks.py", "msgspec")}

# The one named place for each import that is done late, and why.
LATE = {
    "cli/__init__.py": "commands are loaded when they are called, so that `--help` is quick",
    "sandbox_child.py": "the module is imported after the limits are in force",
    "sandbox_forker.py": "what children need is loaded as the command line says",
    "__main__.py": "the same program as the `streamhost` command",
    "db/migrations/__main__.py": "NumPy is hidden from sqlite-utils before that is loaded",
}

# Packages that are loaded at their first use (`streamhost.late`), and what a start that never comes to it is spared.
# Milliseconds of one core with Python 3.11, with all that the package brings along; `users list` takes 300.
FIRST_USE = {
    "aiosmtplib": "10: a mail is handed over",
    "difflib": "2: a setting is misspelt",
    "email.headerregistry": "7, and 0.9 MB with the next two: the same",
    "email.mime.multipart": "the same",
    "email.mime.nonmultipart": "the same",
    "Crypto.Cipher.AES": "3, and 18 and 2 MB more with cffi, by which it parses C headers: a key or a secret is opened",
    "h11": "11: a webhook is called",
    "http.client": "3: a CDN is asked by a server",
    "httptools": "3: there is a port for media",
    "jinja2": "50: a mail is written",
    "jinja2.sandbox": "the same",
    "jwt": "60 where cryptography is installed: a token is signed or read",
    "numpy": "160: pictures are looked at",
    "platformdirs": "2, and 0.4 MB: nobody says where the data are",
    "prometheus_client": "60: the figures of the program are read",
    "prometheus_client.core": "the same",
    "tomlkit": "35: a setting is changed",
    "rich.console": "30: a bar is drawn",
    "rich.progress": "the same",
    "rich.table": "a list is printed on a terminal",
    "rich.text": "the same",
    "segno": "3, and 0.6 MB: a second factor is shown as a picture",
    "structlog": "120, for it loads rich: a line is logged",
    "watchfiles": "7: an import folder is watched",
}

# What commands load all the same, to ask a running server.
FIRST_USE_OF_SERVERS = {"http.client"}


def part(path: Path) -> str:
    """A module's place in the package, such as `media/hls.py`."""
    return path.relative_to(PACKAGE).as_posix()


def belongs(place: str, owners: tuple[str, ...]) -> bool:
    """Whether a module is one of these parts or lies in one."""
    return any(place == owner + ".py" or place == owner or place.startswith(owner + "/") for owner in owners)


def test_imports_look_down() -> None:
    """The contracts of import-linter hold: floors, rooms that do not know each other, doors that knock at features."""
    linter = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run([linter, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr


def test_every_craft_has_one_workshop() -> None:
    """A foreign package is imported only by the parts that own it (and by the kit for tests)."""
    strangers = [
        f"{part(path)}:{item.line} imports {item.name}"
        for path in python_files("src")
        for item in imports(path)
        if (owners := OWNERS.get(item.name.split(".")[0]))
        and not belongs(part(path), owners)
        and not part(path).startswith("testing/")
    ]
    assert strangers == []


@pytest.mark.parametrize("place", PURE)
def test_pure_parts_stay_pure(place: str) -> None:
    """Nouns, ladders and manifests import the standard library's calculating part, and each other."""
    top = PACKAGE / place
    files = python_files("src") if top.is_dir() else (top,)
    wrong = [
        f"{short(path)}:{item.line} imports {item.name}"
        for path in files
        if path == top or path.is_relative_to(top)
        for item in imports(path)
        if (root := item.name.split(".")[0]) != "streamhost"
        and (root in IMPURE or root not in sys.stdlib_module_names)
        and (part(path), root) not in PURE_BUT
    ]
    assert top.exists(), f"{place} is gone; correct this list"
    assert wrong == []


def test_imports_stand_at_the_top() -> None:
    """No import hides in a function, but for the few named places where lateness is the point."""
    hidden = [
        f"{part(path)}:{item.line} imports {item.name} in {item.inside}()"
        for path in python_files("src")
        for item in imports(path)
        if item.inside and part(path) not in LATE
    ]
    assert hidden == []


def late_modules() -> dict[str, list[str]]:
    """What `late` is asked for, and by which modules."""
    asked: dict[str, list[str]] = {}
    for path in python_files("src"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "late":
                asked.setdefault(ast.literal_eval(node.args[0]), []).append(part(path))
    return asked


def test_only_known_packages_are_late() -> None:
    """What is loaded at its first use is worth it, and is imported at the top all the same, for the checkers."""
    asked = late_modules()
    assert asked.keys() == FIRST_USE.keys()
    for name, places in asked.items():
        for place in places:
            names = {item.name for item in imports(PACKAGE / place)}
            assert name in names, f"{place} has no import of {name} for type checkers"


def test_commands_on_people_load_little() -> None:
    """`streamhost users` comes without the workshops for media and models, the web framework, and what is late."""
    code = "import sys; sys.path[:] = sys.argv[1:]; import streamhost.cli.users; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code, *sys.path], capture_output=True, text=True, check=True)
    loaded = set(said.stdout.split())
    assert "streamhost.features.accounts" in loaded
    heavy = {"streamhost.media", "streamhost.ml", "streamhost.server", "streamhost.plugins", "litestar", *FIRST_USE}
    assert loaded & heavy - FIRST_USE_OF_SERVERS == set()


def test_what_commands_print_needs_no_web_framework() -> None:
    """The documents that the API and the command line share are made without Litestar."""
    code = "import sys; sys.path[:] = sys.argv[1:]; import streamhost.cli.jobs, streamhost.cli.imports; "
    code += "import streamhost.cli.webhooks, streamhost.cli.cdn; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code, *sys.path], capture_output=True, text=True, check=True)
    loaded = set(said.stdout.split())
    assert "streamhost.server.documents.work" in loaded
    assert loaded & {"litestar", "granian", *FIRST_USE} - FIRST_USE_OF_SERVERS == set()


def protocols() -> list[str]:
    """The ports that are declared in `ports.py` and the files beside it, by name."""
    return [
        node.name
        for path in sorted(PACKAGE.glob("ports*.py"))
        for node in parsed(path).body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in node.bases)
    ]


@pytest.mark.parametrize("port", protocols())
def test_a_port_is_proven_by_two(port: str) -> None:
    """Each port has two implementations at least, and one published contract suite that runs on all of them."""
    classes = {
        node.name: part(path) if path.is_relative_to(PACKAGE) else short(path)
        for path in python_files("src", "plugins", "examples", "tests/support")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef)
    }
    made = {
        name for name, place in classes.items() if re.fullmatch(rf"(?!Test)\w+{port}", name) and "testing" not in place
    }
    assert len(made) >= 2
    assert classes.get(f"{port}Contract", "").startswith("testing/")
    suite = (ROOT / "tests" / "contracts" / f"test_{port.lower()}.py").read_text("utf-8")
    # Plugins run it in their own tests.
    suite += "".join(
        p.read_text("utf-8") for p in python_files("plugins") if f"{port}Contract)" in p.read_text("utf-8")
    )
    assert {name for name in made if name not in suite} == set()
