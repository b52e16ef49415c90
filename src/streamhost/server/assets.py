"""The built scripts, styles and icons of the pages: found once, named by their content, served for ever."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from streamhost.model.errors import NotFound, StreamhostError
from streamhost.server.auth import public

PREFIX = "/assets/"
FOR_EVER = "public, max-age=31536000, immutable"
"""For names that change with their content: a year, the longest that caches are asked to keep anything."""
FOR_AN_HOUR = "public, max-age=3600"
HASHED = re.compile(r"-[A-Za-z0-9_-]{8}\.[a-z]+$")
"""How Vite ends a name that carries a hash."""
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""Best first: the content coding, and the suffix of the file that was made for it at build."""


class UiNotBuilt(StreamhostError):
    """The pages of this site have not been built."""

    code = "ui_not_built"
    hint = "Run `make web` in the checkout, then reload. An installed package brings its pages along."
    permanent = True


@dataclass(frozen=True, slots=True)
class Asset:
    """What a page loads for one entry: its script, its styles, and the scripts that this one will ask for."""

    js: str
    css: tuple[str, ...]
    preload: tuple[str, ...]


class Assets:
    """The files that a build made. Templates call it with the name of an entry, such as `asset("watch")`."""

    def __init__(self, root: Path) -> None:
        self.templates = root / "templates"
        self._dist = root / "dist"
        self._manifest: Mapping[str, Any] = {}
        self._read_at = 0

    def __call__(self, entry: str) -> Asset:
        """The addresses of an entry's files. Raises `UiNotBuilt`."""
        chunk = self._chunk(f"src/{entry}.ts")
        imported = self._imports(chunk)
        styles = [name for one in (*imported, chunk) for name in one.get("css", ())]
        return Asset(
            js=PREFIX + chunk["file"],
            css=tuple(PREFIX + name for name in dict.fromkeys(styles)),
            preload=tuple(PREFIX + one["file"] for one in imported),
        )

    @property
    def icons(self) -> str:
        """Address of the icon sprite."""
        return self.url("src/icons.svg")

    @property
    def logo(self) -> str:
        """Address of the site's mark."""
        return self.url("src/logo.svg")

    @property
    def licences(self) -> str:
        """Address of the licences of what the pages bring along."""
        return PREFIX + "licences.txt"

    def engine(self, stream_format: str) -> str:
        """Address of the player's engine for `dash` or `hls`, so that a page can ask for it early."""
        return self.url(f"node_modules/shaka-player/dist/shaka-player.{stream_format}-es2021.js")

    def url(self, source: str) -> str:
        """Address of the built form of a source file. Raises `UiNotBuilt`."""
        return PREFIX + str(self._chunk(source)["file"])

    def read(self, name: str, accepted: str) -> tuple[bytes, str, str | None]:
        """A file's bytes, media type and content coding, in the best form that `accepted` (a header) allows.

        Raises `NotFound` for anything that a build did not put there."""
        path = self._dist / name
        media_type = MEDIA_TYPES.get(path.suffix)
        if media_type is None or path.name != name or name.startswith(".") or not path.is_file():
            raise NotFound
        allowed = accepted_codings(accepted)
        for coding, suffix in ENCODINGS:
            packed = self._dist / (name + suffix)
            if coding in allowed and packed.is_file():
                return packed.read_bytes(), media_type, coding
        return path.read_bytes(), media_type, None

    def _chunk(self, source: str) -> Mapping[str, Any]:
        manifest = self._dist / ".vite" / "manifest.json"
        try:
            changed = manifest.stat().st_mtime_ns
            if changed != self._read_at:  # a checkout may be built anew beside a running server
                self._manifest, self._read_at = json.loads(manifest.read_text("utf-8")), changed
        except FileNotFoundError:
            raise UiNotBuilt from None
        chunk: Mapping[str, Any] = self._manifest[source]
        return chunk

    def _imports(self, chunk: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Every chunk that this one loads before it runs, itself left out, in the order in which they run."""
        found: dict[str, Mapping[str, Any]] = {}
        for key in chunk.get("imports", ()):
            imported = self._chunk(key)
            for one in (*self._imports(imported), imported):
                found[one["file"]] = one
        return list(found.values())


def find_web_root() -> Path:
    """Where templates and built files lie: inside the installed package, or in the checkout's `web/`."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_web"
    return installed if installed.is_dir() else package.parent.parent / "web"


def accepted_codings(header: str) -> set[str]:
    """The content codings that an `Accept-Encoding` header allows (RFC 9110, 12.5.3)."""
    allowed = set()
    for part in header.lower().split(","):
        coding, *parameters = (word.strip() for word in part.split(";"))
        if not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters):
            allowed.add(coding)
    return allowed


@get("/assets/{name:str}", guards=[public], include_in_schema=False)
async def serve_asset(
    request: Request[Any, Any, Any], name: FromPath[str], assets: NamedDependency[Assets]
) -> Response[bytes]:
    """One built file, packed as the browser likes it."""
    content, media_type, coding = assets.read(name, request.headers.get("accept-encoding", ""))
    headers = {
        "Cache-Control": FOR_EVER if HASHED.search(name) else FOR_AN_HOUR,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if coding:
        headers["Content-Encoding"] = coding
    return Response(content, media_type=media_type, headers=headers)


routes = [serve_asset]
