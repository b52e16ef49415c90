"""A server reached over HTTP: its API as a script would use it, and uploads that go on after any interruption (tus)."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec

from streamhost.model.errors import StreamhostError

PATH = "/api/v1/uploads"
CHUNK = 64 * 1024**2
"""Bytes of one request: below the 100 MB at which common proxies stop."""
BLOCK = 256 * 1024
TIMEOUT = 60.0
PATIENCE = 120.0
"""Seconds without any progress after which an upload or a wait is given up."""
FIRST_PATIENCE = 10.0
"""The same for a server that has never answered: its address is probably wrong."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
NETWORK = (OSError, http.client.HTTPException)
"""What a network that fails raises here."""
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same may work a moment later."""
PASSING_FOR_UPLOADS = PASSING | {409, 423, 460}
"""And those after which an upload looks where it stands: another offset, another connection, a damaged chunk."""
GONE = frozenset({403, 404, 410})
"""Answers to HEAD for an upload that cannot be continued (1.0.0, "HEAD")."""

Document = dict[str, Any]
"""An object of JSON, as the API has it."""


class Unreachable(StreamhostError):
    """The server could not be reached."""

    code = "unreachable"
    hint = "Look at the address and the network; run the same command again to go on where it stopped."


class Refused(StreamhostError):
    """The server refused."""

    code = "refused"
    permanent = True


class NotTaken(StreamhostError):
    """What was sent for a test was not taken."""

    code = "not_taken"
    permanent = True


class FileChanged(StreamhostError):
    """The file changed while it was being sent."""

    code = "file_changed"
    hint = "Run the command again when nothing writes to the file any more."
    permanent = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, read."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def fine(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.status < 300

    def document(self) -> Document:
        """The JSON object in the body; empty if there is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def refusal(self) -> Refused:
        """The error that the answer tells of."""
        problem = self.document()
        words = " ".join(str(problem[key]) for key in ("title", "detail") if problem.get(key))
        hint = "The access token is wrong or has expired: get a fresh one." if self.status == 401 else None
        fields = problem.get("errors") or {}
        return Refused(
            f"{words or 'No reason was given.'} ({self.status})", hint=hint or problem.get("hint"), fields=fields
        )


class Remote:
    """One server, and somebody's access token there."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unreachable(f"{url} is not an http address.")
        self.base = f"{parts.scheme}://{parts.netloc}"
        self._token = token
        self._reached = False

    def call(self, method: str, address: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One request without body. Raises `OSError` or `http.client.HTTPException` when the network fails."""
        return self._exchange(method, address, headers or {}, 0, lambda _connection: None)

    def ask(self, method: str, address: str, document: Mapping[str, Any] | None = None) -> Answer:
        """One request, perhaps with a JSON object as its body. Raises as `call`."""
        if document is None:
            return self.call(method, address)
        body = json.dumps(document).encode()
        kind = {"Content-Type": "application/json"}
        return self._exchange(method, address, kind, len(body), lambda connection: connection.send(body))

    def send(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        file: IO[bytes],
        size: int,
        sent: Callable[[int], None],
    ) -> Answer:
        """One request with the next `size` bytes of a file; `sent` hears of each block that went out."""

        def body(connection: http.client.HTTPConnection) -> None:
            left = size
            while left:
                block = file.read(min(BLOCK, left))
                if not block:
                    raise FileChanged("It has become shorter.")
                connection.send(block)
                left -= len(block)
                sent(len(block))

        return self._exchange(method, address, headers, size, body)

    def document(self, method: str, address: str, document: Mapping[str, Any] | None = None) -> Document:
        """What the API answers, asked again where that may help. Raises `Refused`, `Unreachable`."""
        return _granted(self.persistently(lambda: self.ask(method, address, document)))

    def once(self, method: str, address: str, document: Mapping[str, Any] | None = None) -> Document:
        """The same for what must not be done twice, when it was done and the answer was lost."""
        try:
            return _granted(self.ask(method, address, document))
        except NETWORK as error:
            raise self.unreachable(error) from error

    def items(self, address: str, asked: Mapping[str, object]) -> Iterator[Document]:
        """What is on all pages of a list, each asked for when it is wanted. `asked`: the query; None is left out."""
        cursor: str | None = None
        while True:
            said = {name: value for name, value in {**asked, "cursor": cursor}.items() if value is not None}
            page = self.document("GET", f"{address}?{urlencode(said)}")
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    @property
    def patience(self) -> float:
        """Seconds without any progress after which this server is given up."""
        return PATIENCE if self._reached else FIRST_PATIENCE

    def unreachable(self, error: Exception) -> Unreachable:
        """What is told of a network that fails."""
        return Unreachable(f"{self.base}: {str(error) or type(error).__name__}")

    @contextlib.contextmanager
    def stream(self, address: str, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
        """The answer to a GET, to be read piece by piece. Raises `Refused` for what is no success, else as `call`."""
        parts = urlsplit(urljoin(self.base, address))
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            place = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", place, headers={"Authorization": f"Bearer {self._token}", **headers})
            response = connection.getresponse()
            self._reached = True
            if not 200 <= response.status < 300:
                said = {name.lower(): value for name, value in response.getheaders()}
                raise Answer(response.status, said, response.read()).refusal()
            yield response
        finally:
            connection.close()

    def _exchange(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        size: int,
        body: Callable[[http.client.HTTPConnection], None],
    ) -> Answer:
        parts = urlsplit(urljoin(self.base, address))
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
        try:
            connection.putrequest(method, parts.path + (f"?{parts.query}" if parts.query else ""))
            for name, value in {
                "Authorization": f"Bearer {self._token}",
                "Content-Length": str(size),
                **headers,
            }.items():
                connection.putheader(name, value)
            connection.endheaders()
            # Whoever refuses early hangs up on the rest, but has said why before.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                body(connection)
            response = connection.getresponse()
            self._reached = True
            said = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, said, response.read())
        finally:
            connection.close()

    def persistently(
        self,
        attempt: Callable[[], Answer],
        progress: Callable[[], int] = lambda: 0,
        passing: frozenset[int] = PASSING,
    ) -> Answer:
        """Repeat `attempt` through failures that pass, until there was no progress for as long as `patience`."""
        mark, pauses = progress(), Pauses(self)
        while True:
            asked = 0.0
            try:
                answer = attempt()
                if answer.status not in passing:
                    return answer
                failure: StreamhostError = answer.refusal()
                asked = _asked_pause(answer)
            except NETWORK as error:
                failure = self.unreachable(error)
            if progress() != mark:
                mark = progress()
                pauses.moved()
            pauses.wait(failure, asked)


class Pauses:
    """Waits between attempts, each time longer, until nothing has moved for too long."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self.moved()

    def moved(self) -> None:
        """There was progress: all begins anew."""
        self._since, self._pause = time.monotonic(), FIRST_PAUSE

    def wait(self, failure: StreamhostError, at_least: float = 0.0) -> None:
        """Wait before the next attempt. Raises `failure` where there is to be none."""
        if time.monotonic() - self._since > self._remote.patience:
            raise failure
        time.sleep(max(self._pause, at_least))
        self._pause = min(self._pause * 2, LONGEST_PAUSE)


def taken(trial: Document) -> None:
    """Raise `NotTaken` where the API says that a test was not taken."""
    if error := trial["error"]:
        raise NotTaken(f"{error['detail']} ({error['code']})", hint=error["hint"])


def _granted(answer: Answer) -> Document:
    if not answer.fine:
        raise answer.refusal()
    return answer.document()


def _asked_pause(answer: Answer) -> float:
    text = answer.headers.get("retry-after", "")
    return min(float(text), PATIENCE) if text.isdigit() else 0.0


class Transfer:
    """One file on its way to a server, by tus 1.0.0. `moved` hears the offset whenever it changes."""

    def __init__(self, remote: Remote, path: Path, words: Mapping[str, str], moved: Callable[[int], None]) -> None:
        self._remote = remote
        self._path = path
        self._words = words
        self._moved = moved
        self._length = path.stat().st_size
        self._offset = 0
        self._at = -1
        self.video_id: str | None = None

    def create(self) -> str:
        """Begin a new upload; its address."""
        pairs = (f"{key} {b64encode(value.encode()).decode()}".strip() for key, value in self._words.items())
        headers = {"Upload-Length": str(self._length), "Upload-Metadata": ",".join(pairs)}
        answer = self._persistently(lambda: self._call("POST", PATH, headers))
        if answer.status != 201:
            raise answer.refusal()
        self._heard(answer, 0)
        return urljoin(self._remote.base, answer.headers["location"])

    def known(self, address: str) -> bool:
        """Whether an upload begun earlier can be continued; finds out where."""
        answer = self._persistently(lambda: self._call("HEAD", address))
        if answer.status in GONE:
            return False
        if not answer.fine:
            raise answer.refusal()
        self._heard(answer)
        return True

    def run(self, address: str) -> str:
        """Send everything that is missing; the id of the video that the file has become."""
        with self._path.open("rb") as file:
            while self._offset < self._length or self.video_id is None:
                answer = self._persistently(lambda: self._step(address, file))
                if not answer.fine:
                    raise answer.refusal()
                if self._offset == self._length and self.video_id is None:
                    raise Refused("It took the whole file, but named no video.")
        return self.video_id

    def _step(self, address: str, file: IO[bytes]) -> Answer:
        """Where do we stand, if that is not sure, then the next chunk."""
        if self._at != self._offset or self._offset == self._length:
            answer = self._call("HEAD", address)
            if not answer.fine:
                return answer
            self._heard(answer)
            if self._offset == self._length:
                return answer
        if self._path.stat().st_size != self._length:
            raise FileChanged(f"It had {self._length} bytes.")
        self._at = -1
        file.seek(self._offset)
        start, size = self._offset, min(CHUNK, self._length - self._offset)
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(start),
            "Content-Type": "application/offset+octet-stream",
        }
        gone = 0

        def sent(number: int) -> None:
            nonlocal gone
            gone += number
            self._moved(start + gone)

        answer = self._remote.send("PATCH", address, headers, file, size, sent)
        if answer.fine:
            self._heard(answer)
        return answer

    def _persistently(self, attempt: Callable[[], Answer]) -> Answer:
        return self._remote.persistently(attempt, lambda: self._offset, PASSING_FOR_UPLOADS)

    def _heard(self, answer: Answer, offset: int | None = None) -> None:
        self._offset = self._at = int(answer.headers.get("upload-offset", self._length if offset is None else offset))
        self.video_id = answer.headers.get("streamhost-video", self.video_id)
        self._moved(self._offset)

    def _call(self, method: str, address: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self._remote.call(method, address, {"Tus-Resumable": "1.0.0", **(headers or {})})


def as_document(document: object) -> Document:
    """A document of the API as what JSON is made of."""
    found = msgspec.to_builtins(document)
    assert isinstance(found, dict)
    return found
