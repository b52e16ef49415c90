"""What the program stands on: declared, used, and under licences that fit its own."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions

from packaging.requirements import Requirement

from tests.house.tree import ROOT, imports, python_files, short

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

# Needed without being imported by name.
LOADED_BY_NAME = {
    "uvloop": "granian and the server take it when it is there",
    "crawler-user-agents": "its list is read as a file, once the first player reports",
}
# Imported without being a dependency of the program: the build's own, and the kit for plugin authors' tests.
NOT_THE_PROGRAM = {"src/streamhost/testing/": {"pytest", "hypothesis", "httpx"}}

COPYLEFT = re.compile(r"(?<![Ll])\b(A?GPL|GNU (Affero )?General Public|SSPL|BUSL|Commons Clause)", re.IGNORECASE)
LIBRARY = re.compile(r"\bLGPL|Lesser General", re.IGNORECASE)


def canonical(name: str) -> str:
    """A distribution's name in its one spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements() -> list[Requirement]:
    """What the program itself declares, extras included."""
    extras = PROJECT["project"].get("optional-dependencies", {})
    return [
        Requirement(line) for line in [*PROJECT["project"]["dependencies"], *(x for e in extras.values() for x in e)]
    ]


def foreign() -> dict[str, set[str]]:
    """Distributions that the sources import, and where."""
    providers = packages_distributions()
    used: dict[str, set[str]] = {}
    for path in python_files("src"):
        exempt = next((names for top, names in NOT_THE_PROGRAM.items() if short(path).startswith(top)), set())
        for item in imports(path):
            root = item.name.split(".")[0]
            if root == "streamhost" or root in sys.stdlib_module_names or root in exempt:
                continue
            for name in providers.get(root, [root]):
                used.setdefault(canonical(name), set()).add(short(path))
    return used


def tree() -> Iterator[Distribution]:
    """Every distribution that `pip install streamhost` brings to this machine."""
    seen: set[str] = set()
    waiting = [(need, "") for need in requirements()]
    while waiting:
        need, extra = waiting.pop()
        if need.marker and not need.marker.evaluate({"extra": extra}):
            continue
        try:
            found = distribution(need.name)
        except PackageNotFoundError:
            continue
        if canonical(need.name) not in seen:
            seen.add(canonical(need.name))
            yield found
            for line in found.requires or []:
                waiting.append((Requirement(line), ""))
                waiting += [(Requirement(line), asked) for asked in need.extras]


def licence(found: Distribution) -> str:
    """What a distribution says of its licence, from whichever field it uses, or the head of the text it brings."""
    said = found.metadata.get_all("License-Expression") or []
    said += [line for line in found.metadata.get_all("Classifier") or [] if line.startswith("License")]
    if not said:
        said += [text.splitlines()[0] for text in found.metadata.get_all("License") or [] if text.strip()]
    if not said:
        files = [found.read_text(f"licenses/{name}") for name in found.metadata.get_all("License-File") or []]
        said += [text.strip().splitlines()[0] for text in files if text and text.strip()]
    return " ".join(said)


def test_what_is_imported_is_declared() -> None:
    """`pip install streamhost` brings everything the sources import."""
    declared = {canonical(need.name) for need in requirements()}
    assert {name: where for name, where in foreign().items() if name not in declared} == {}


def test_what_is_declared_is_used() -> None:
    """Nothing is installed on people's machines for nothing."""
    used = set(foreign())
    idle = {name for need in requirements() if (name := canonical(need.name)) not in used}
    assert idle - set(LOADED_BY_NAME) == set()


def test_declared_versions_have_a_floor_and_no_ceiling() -> None:
    """Each dependency names the oldest version that works, and does not forbid newer ones."""
    wrong = [str(need) for need in requirements() if [spec.operator for spec in need.specifier] != [">="]]
    assert wrong == []


def test_what_is_installed_fits() -> None:
    """This environment has what is declared, in a version that is allowed."""
    wrong = [
        f"{need} but {distribution(need.name).version}"
        for need in requirements()
        if (need.marker is None or need.marker.evaluate())
        and not need.specifier.contains(distribution(need.name).version)
    ]
    assert wrong == []


def test_licences_fit() -> None:
    """Nothing that the program imports, near or far, puts it under the GPL or AGPL; each says what licence it has."""
    said = {found.metadata["Name"]: licence(found) for found in tree()}
    assert len(said) > len(PROJECT["project"]["dependencies"]), "the tree was not walked"
    unsaid = {name for name, text in said.items() if not text}
    binding = {name: text for name, text in said.items() if COPYLEFT.search(text) and not LIBRARY.search(text)}
    assert binding == {}
    assert unsaid == set()


def test_one_lower_bound_for_python() -> None:
    """The oldest Python is the same for the package, the linter and the type checker."""
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert PROJECT["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest
