"""A tus client that does just what a test says, and one on a bare socket that can break off at any byte."""

from __future__ import annotations

import base64
import contextlib
import random
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.support.server import Api, until

VERSION = {"Tus-Resumable": "1.0.0"}
TYPE = {"Content-Type": "application/offset+octet-stream"}
PATH = "/api/v1/uploads"
PATIENCE = 150.0


def content(size: int, seed: int = 1) -> bytes:
    """Bytes that no place confuses with another."""
    return random.Random(seed).randbytes(size)


def words(**metadata: str) -> dict[str, str]:
    """The `Upload-Metadata` header."""
    pairs = [f"{key} {base64.b64encode(value.encode()).decode()}".strip() for key, value in metadata.items()]
    return {"Upload-Metadata": ",".join(pairs)}


def begin(api: Api, length: int | None, **headers: str) -> str:
    """Create an upload; answers its address."""
    said = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
    answer = api.post(PATH, headers={**VERSION, **said, **headers})
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def append(api: Api, address: str, offset: int, data: bytes, **headers: str) -> httpx.Response:
    """Send one PATCH."""
    return api.patch(address, headers={**VERSION, **TYPE, "Upload-Offset": str(offset), **headers}, content=data)


def status(api: Api, address: str) -> httpx.Response:
    """Send one HEAD."""
    return api.head(address, headers=VERSION)


def offset(api: Api, address: str) -> int:
    """Where an upload stands."""
    answer = status(api, address)
    assert answer.status_code == 200, answer.status_code
    return int(answer.headers["upload-offset"])


class Line:
    """One connection, on which a request is sent by hand, piece by piece."""

    def __init__(self, api: Api) -> None:
        host = urlsplit(str(api.base_url))
        assert host.hostname and host.port
        self._socket = socket.create_connection((host.hostname, host.port), timeout=PATIENCE)
        self._host = host.netloc
        self._credentials = api.headers["Authorization"]

    def patch(self, address: str, offset: int, length: int | None, **headers: str) -> Line:
        """Send the head of a PATCH; without `length` the body is chunked."""
        body = {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}
        return self.head("PATCH", address, **{**VERSION, **TYPE, **body, "Upload-Offset": str(offset), **headers})

    def head(self, method: str, address: str, **headers: str) -> Line:
        """Send the head of any request."""
        lines = [f"{method} {urlsplit(address).path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in {"Authorization": self._credentials, **headers}.items()]
        return self.send("\r\n".join([*lines, "", ""]).encode())

    def send(self, data: bytes) -> Line:
        """Send bytes."""
        self._socket.sendall(data)
        return self

    def taken(self, data: Path, address: str, size: int) -> Line:
        """Wait until so many bytes lie in the upload's file: the server writes what has come every two seconds."""
        file = data / "uploads" / address.rpartition("/")[2]

        def written() -> bool:
            with contextlib.suppress(FileNotFoundError):
                return file.stat().st_size >= size
            return False

        until(written, PATIENCE)
        return self

    def answer(self) -> bytes:
        """What the server says, up to the end of its head and what came with it; empty if it hung up."""
        received = b""
        while b"\r\n\r\n" not in received:
            data = self._socket.recv(65536)
            if not data:
                break
            received += data
        return received

    def status(self) -> int:
        """The status of the answer."""
        return int(self.answer().split(b" ", 2)[1])

    def cut(self) -> None:
        """Break the connection."""
        self._socket.close()
