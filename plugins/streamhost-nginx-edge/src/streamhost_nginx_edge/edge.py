"""For the machine of an edge: writes nginx's configuration, drops copies on demand, and tells how much was served.

Needs nothing but Python 3.9 or newer and the file `edge.conf` beside it: copy both there.

    python3 edge.py config --site https://video.example.org --name cdn.example.org ... > /etc/nginx/conf.d/edge.conf
    python3 edge.py purger --cache /var/cache/streamhost --secret-file /etc/streamhost-edge/secret
    python3 edge.py report /var/log/nginx/streamhost-edge.log
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import queue
import re
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TEMPLATE = Path(__file__).with_name("edge.conf")
SECRET = re.compile(r"[A-Za-z0-9_-]{20,200}")
PREFIX = re.compile(r"videos/[A-Za-z0-9]{1,64}/(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}/){0,6}")
HEAD_BYTES = 2048
"""How much of a copy's file is read: nginx writes some hundred bytes of its own, then a line `KEY: …`."""
BODY_BYTES = 64 * 1024
PURGER = "/run/streamhost-edge/purger.sock"
PATIENCE_SECONDS = 10.0
"""How long the site is kept waiting: it gives up after fifteen seconds without a word, and asks again."""


class Wrong(Exception):
    """What was given cannot be used; the words say why."""


def configuration(
    site: str,
    name: str,
    secret: str,
    pull_secret: str,
    *,
    listen: str = "443 ssl",
    certificate: str = "",
    key: str = "",
    cache: str = "/var/cache/streamhost",
    size: str = "50g",
    log: str = "/var/log/nginx/streamhost-edge.log",
    purger: str = PURGER,
) -> str:
    """The configuration of an edge for the site at `site` (scheme, host, perhaps a port). Raises `Wrong`."""
    parts = urlsplit(site)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise Wrong(f"{site} is not the address of a site, such as https://video.example.org.")
    for given in (secret, pull_secret):
        if not SECRET.fullmatch(given):
            raise Wrong("A secret has 20 to 200 letters, digits, - and _; `openssl rand -hex 32` makes a good one.")
    if not ("ssl" in listen.split()) == bool(certificate) == bool(key):
        raise Wrong("A certificate and its key go with `listen ... ssl`, and only with it.")
    for word in (listen, name, certificate, key, cache, size, log, purger):
        if re.search(r"[;{}\"'$\\\n]", word):
            raise Wrong(f"{word!r} cannot stand in a configuration of nginx.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    check = f"proxy_ssl_server_name on; proxy_ssl_name {parts.hostname}; proxy_ssl_verify on; proxy_ssl_verify_depth 5;"
    values = {
        "site": f"{host}:{port}",
        "scheme": parts.scheme,
        "host": parts.netloc,
        "name": name,
        "listen": listen,
        "tls": f"ssl_certificate {certificate}; ssl_certificate_key {key};" if certificate else "",
        "site_tls": f"{check} proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;"
        if parts.scheme == "https"
        else "",
        "cache": cache.rstrip("/"),
        "size": size,
        "log": log,
        "purger": purger,
        "secret": secret,
        "pull_secret": pull_secret,
    }
    return re.sub(r"@([a-z_]+)@", lambda found: values[found[1]], TEMPLATE.read_text("utf-8"))


def drop(cache: Path, prefixes: Sequence[str]) -> int:
    """Remove the copies of every object below the prefixes; how many files. Safe beside a running nginx, which fetches
    anew what it finds gone."""
    wanted = tuple(prefixes)
    gone = 0
    for path in _files(cache):
        if _key(path).startswith(wanted):
            try:
                path.unlink()
                gone += 1
            except FileNotFoundError:
                pass
    return gone


def _files(folder: Path) -> Iterator[Path]:
    for here, _, names in os.walk(folder):
        for name in names:
            yield Path(here, name)


def _key(path: Path) -> str:
    """What nginx's cache calls the content of a file; empty for what is no copy."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return ""
    found = re.search(rb"\nKEY: ([^\n]*)\n", head)
    return found[1].decode("latin-1") if found else ""


class Dropping:
    """Goes through the cache for all who ask at the same time at once, in a thread of its own: a large one on a disk
    that turns takes minutes."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._orders: queue.Queue[_Order] = queue.Queue()
        threading.Thread(target=self._work, name="dropping", daemon=True).start()

    def order(self, prefixes: Sequence[str]) -> int | None:
        """Have the copies below these prefixes dropped: how many files went, None if that still goes on.

        Raises `Wrong` if they cannot be."""
        order = _Order(tuple(prefixes))
        self._orders.put(order)
        if not order.done.wait(PATIENCE_SECONDS):
            return None
        if order.wrong:
            raise Wrong(order.wrong)
        return order.gone

    def _work(self) -> None:
        while True:
            orders = [self._orders.get()]
            while not self._orders.empty():
                orders.append(self._orders.get())
            prefixes = sorted({prefix for order in orders for prefix in order.prefixes})
            gone, wrong = 0, ""
            try:
                gone = drop(self._cache, prefixes)
            except Exception as error:  # whatever it is, the next ones must have their turn
                wrong = f"{type(error).__name__}: {error}"
            told = {"dropped": gone, "prefixes": prefixes, **({"error": wrong} if wrong else {})}
            print(json.dumps(told), flush=True)  # noqa: T201  # for the journal
            for order in orders:
                order.gone, order.wrong = gone, wrong
                order.done.set()


class _Order:
    def __init__(self, prefixes: tuple[str, ...]) -> None:
        self.prefixes = prefixes
        self.gone = 0
        self.wrong = ""
        self.done = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    """One request to drop copies: POST `{"prefixes": [...]}` with the secret as bearer token."""

    server: Purger
    timeout = 10

    def do_POST(self) -> None:
        """Answer it: 200 tells how many, 202 that it goes on, 401 who may not, 400 what cannot be read, 500 what cannot
        be done."""
        said = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(said, b"Bearer " + self.server.secret.encode()):
            return self._answer(401, {"error": "wrong token"})
        try:
            length = int(self.headers.get("Content-Length", "0"))
            if not 0 < length <= BODY_BYTES:
                raise ValueError("length")
            prefixes = json.loads(self.rfile.read(length))["prefixes"]
            if not isinstance(prefixes, list) or not all(isinstance(p, str) and PREFIX.fullmatch(p) for p in prefixes):
                raise ValueError("prefixes")
        except (ValueError, KeyError, TypeError):
            return self._answer(400, {"error": 'a list of folders of videos, such as {"prefixes": ["videos/abc/"]}'})
        try:
            gone = self.server.dropping.order(prefixes) if prefixes else 0
        except Wrong as error:
            return self._answer(500, {"error": str(error)})
        return self._answer(202 if gone is None else 200, {"dropped": gone})

    def _answer(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of each request: what was dropped is told anyway."""

    def address_string(self) -> str:
        """Over a Unix socket there is none."""
        return "nginx"


class Purger(socketserver.ThreadingUnixStreamServer):
    """Listens on a Unix socket behind nginx, in a directory that nginx may enter."""

    daemon_threads = True

    def __init__(self, path: str, cache: Path, secret: str) -> None:
        self.dropping = Dropping(cache)
        self.secret = secret
        with_stale = Path(path)
        if with_stale.is_socket() and not _answers(path):
            with_stale.unlink()
        super().__init__(path, _Handler)
        os.chmod(path, 0o660)


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


def report(lines: Sequence[str]) -> dict[str, Any]:
    """What an edge's log tells: requests and bytes, from copies and from the site; apart from that, refusals."""
    hits = misses = refused = from_copies = fetched = 0
    for line in lines:
        try:
            entry = json.loads(line)
            status, size, cache = int(entry["status"]), int(entry["bytes"]), str(entry["cache"])
        except (ValueError, KeyError, TypeError):
            continue
        if status >= 400:
            refused += 1
        elif cache in ("HIT", "STALE", "UPDATING", "REVALIDATED"):
            hits += 1
            from_copies += size
        else:
            misses += 1
            fetched += size
    served = hits + misses
    return {
        "requests": served,
        "hits": hits,
        "hit_rate": round(hits / served, 4) if served else 0.0,
        "bytes_from_copies": from_copies,
        "bytes_fetched": fetched,
        "refused": refused,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 2 for what cannot be used."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("config", help="write nginx's configuration to standard output")
    writing.add_argument("--site", required=True, help="address of the site, such as https://video.example.org")
    writing.add_argument("--name", required=True, help="host name of this edge, such as cdn.example.org")
    writing.add_argument("--secret-file", required=True, type=Path, help="holds what signs links and requests to purge")
    writing.add_argument("--pull-secret-file", required=True, type=Path, help="holds cdn.pull_secret of the site")
    for option, default in (
        ("listen", "443 ssl"),
        ("certificate", ""),
        ("key", ""),
        ("cache", "/var/cache/streamhost"),
        ("size", "50g"),
        ("log", "/var/log/nginx/streamhost-edge.log"),
        ("purger", PURGER),
    ):
        writing.add_argument(f"--{option}", default=default, help=f"default: {default or 'none'}")
    purging = commands.add_parser("purger", help="drop copies when the site asks for it")
    purging.add_argument("--cache", required=True, type=Path)
    purging.add_argument("--secret-file", required=True, type=Path)
    purging.add_argument("--socket", default=PURGER)
    reporting = commands.add_parser("report", help="tell how much was served from copies, by the log")
    reporting.add_argument("log", type=Path)
    given = vars(parser.parse_args(arguments))
    command = given.pop("command")
    try:
        if command == "config":
            secret, pull = (given.pop(f"{name}_file").read_text().strip() for name in ("secret", "pull_secret"))
            sys.stdout.write(configuration(given.pop("site"), given.pop("name"), secret, pull, **given))
        elif command == "purger":
            Purger(given["socket"], given["cache"], given["secret_file"].read_text().strip()).serve_forever()
        else:
            found = report(given["log"].read_text("utf-8", "replace").splitlines())
            sys.stdout.write(json.dumps(found, indent=2) + "\n")
    except (Wrong, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
