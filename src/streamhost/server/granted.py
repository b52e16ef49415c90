"""What everything below `/s/` has in common: the grant is the only credential, and any site's player may read the
answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from streamhost.model.errors import Forbidden, StreamhostError
from streamhost.model.grants import Grant
from streamhost.server.door import Headers, Scope, Send
from streamhost.server.errors import PROBLEM_TYPE, Problem, problem_of
from streamhost.server.ranges import Unsatisfiable
from streamhost.server.reply import Reply

METHODS = b"GET, HEAD, OPTIONS"
OPEN_TO_PLAYERS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
]
"""Players on other sites may read everything here: the grant is the credential, cookies play no part."""


class MethodNotAllowed(StreamhostError):
    """Streams can only be read."""

    code = "method_not_allowed"
    permanent = True


class WrongOrigin(Forbidden):
    """This permission to play is for another web site."""

    code = "wrong_origin"
    hint = "It plays only on pages of the site that it was asked for."
    permanent = True


def check_origin(scope: Scope, grant: Grant) -> None:
    """Raise `WrongOrigin` for a grant that names a site, unless the browser says that a page of it asks.

    What the browser says is `Origin`, or `Referer` where it sends no origin (media elements). A program can say
    whatever it likes: this keeps other sites' pages out, nobody else.
    """
    if grant.origin is None:
        return
    headers = {name: value for name, value in scope["headers"] if name in (b"origin", b"referer")}
    said = headers.get(b"origin", b"").decode("latin-1")
    if not said and (referer := headers.get(b"referer", b"").decode("latin-1")):
        try:
            parts = urlsplit(referer)
        except ValueError as error:
            raise WrongOrigin from error
        said = f"{parts.scheme}://{parts.netloc}"
    if said.lower() != grant.origin:
        raise WrongOrigin


def refusal(method: str, error: Exception, methods: bytes = METHODS) -> Reply:
    """The error as a problem document."""
    problem: Problem = problem_of(error)
    body = problem.body()
    headers: Headers = [
        *OPEN_TO_PLAYERS,
        (b"content-type", PROBLEM_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", methods))
    if isinstance(error, Unsatisfiable):
        headers.append((b"content-range", b"bytes */%d" % error.size))
    return Reply(problem.status, headers, () if method == "HEAD" else (body,))


async def refuse(send: Send, method: str, error: Exception, methods: bytes = METHODS) -> None:
    """Answer with the error as a problem document."""
    said = refusal(method, error, methods)
    await answer(send, said.status, said.headers, b"".join(said.content))


async def answer(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    """A whole answer at once."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
