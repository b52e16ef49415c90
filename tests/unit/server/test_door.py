"""The door: what happens to every request before a route sees it."""

from __future__ import annotations

import asyncio
from typing import Any

from streamhost.model.accounts import Role, User, Viewer
from streamhost.model.ids import SessionId, UserId
from streamhost.server.door import Door, Message, Receive, Scope, Send
from streamhost.server.event_streams import EventStreams


class Caller:
    """One request, as a server would hand it over, and what came back."""

    def __init__(self, path: str, method: str = "GET") -> None:
        self.scope: Scope = {"type": "http", "method": method, "path": path, "headers": [], "state": {}}
        self.sent: list[Message] = []
        self.began = asyncio.Event()

    async def receive(self) -> Message:
        """An empty body, then silence."""
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Keep what is sent."""
        self.sent.append(message)
        self.began.set()

    async def call(self, door: Door) -> Caller:
        """Run the request through the door."""
        await door(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> Any:
        """The status of the answer; there is exactly one."""
        (start,) = [message for message in self.sent if message["type"] == "http.response.start"]
        return start["status"]

    @property
    def body(self) -> bytes:
        """The body of the answer."""
        return b"".join(message["body"] for message in self.sent if message["type"] == "http.response.body")


def answering(text: bytes, kind: bytes = b"text/plain") -> Any:
    """An application that always says the same."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": text})

    return app


async def test_before_it_is_open() -> None:
    """It lives, but is not ready: 200 for /livez alone, 503 with Retry-After for everything else."""
    door = Door()
    assert (await Caller("/livez").call(door)).status == 200
    for path in ("/startupz", "/readyz", "/", "/s/x/y/z.mp4"):
        caller = await Caller(path).call(door)
        assert caller.status == 503
        assert (b"retry-after", b"1") in caller.sent[0]["headers"]


async def test_segments_never_see_the_router() -> None:
    """Below /s/ the delivery path answers, elsewhere the application."""
    door = Door()
    door.open(answering(b"routed"), answering(b"delivered"))
    assert (await Caller("/s/grant/video/0.m4s").call(door)).body == b"delivered"
    assert (await Caller("/studio").call(door)).body == b"routed"


async def test_a_route_may_say_it_otherwise() -> None:
    """A header that the answer has already is not added again."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"SAMEORIGIN")]})
        await send({"type": "http.response.body", "body": b""})

    door = Door()
    door.open(app, app)
    headers = (await Caller("/embed").call(door)).sent[0]["headers"]
    assert [value for name, value in headers if name.lower() == b"x-frame-options"] == [b"SAMEORIGIN"]


async def test_head_where_only_get_is_known() -> None:
    """A HEAD that a route refuses with `Allow: GET` is asked again as GET and answered without its body."""
    asked = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["method"])
        status = 200 if scope["method"] == "GET" else 405
        headers = [(b"allow", b"GET, OPTIONS")] if status == 405 else [(b"content-length", b"4")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"body"})

    door = Door()
    door.open(app, app)
    caller = await Caller("/page", "HEAD").call(door)
    assert asked == ["HEAD", "GET"]
    assert (caller.status, caller.body) == (200, b"")
    assert (b"content-length", b"4") in caller.sent[0]["headers"]


async def test_a_shutdown_ends_event_streams_only() -> None:
    """An event stream is told that its listener went; another request that waits is left alone."""

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        kind = b"text/event-stream" if scope["path"] == "/events" else b"text/plain"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await receive()
        await send({"type": "http.response.body", "body": b"the end"})

    door = Door()
    door.open(stream, stream)
    events, other = Caller("/events"), Caller("/other")
    tasks = [asyncio.create_task(caller.call(door)) for caller in (events, other)]
    await asyncio.gather(events.began.wait(), other.began.wait())
    assert not any(task.done() for task in tasks)
    door.close()
    await asyncio.wait_for(tasks[0], 60)
    assert events.body == b"the end"
    assert not tasks[1].done()
    tasks[1].cancel()


async def test_nobody_takes_all_connections_by_listening() -> None:
    """Of one account, one network and all together so many event streams are open; one more is refused, and who asks
    for anything else is answered. What ends makes room."""
    ending: list[asyncio.Event] = []

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        if name := scope["path"].strip("/"):
            scope["user"] = Viewer(User(UserId(name), "", name, Role.VIEWER, "", 0.0), SessionId(name))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        ending.append(asyncio.Event())
        await asyncio.wait(
            [asyncio.ensure_future(ending[-1].wait()), asyncio.ensure_future(receive())],
            return_when=asyncio.FIRST_COMPLETED,
        )
        await send({"type": "http.response.body", "body": b"the end"})

    async def listens(path: str, client: str = "192.0.2.1") -> tuple[Caller, asyncio.Task[Caller]]:
        caller = Caller(path)
        caller.scope["client"] = (client, 1)
        task = asyncio.create_task(caller.call(door))
        await caller.began.wait()
        return caller, task

    door = Door(streams=EventStreams(most=5, most_of_one=2))
    door.open(stream, stream)
    heard = [await listens(path) for path in ("/bob", "/bob", "/bob", "/", "/", "/", "/alice")]
    heard += [await listens("/", "127.0.0.1"), await listens("/", "198.51.100.1")]
    assert [caller.status for caller, _ in heard] == [200, 200, 429, 200, 200, 429, 200, 429, 429]
    refused, over = heard[2]
    await asyncio.wait_for(over, 60)
    assert b"Too many event streams are open." in refused.body
    assert not heard[0][1].done()
    ending[0].set()
    await asyncio.wait_for(heard[0][1], 60)
    heard.append(await listens("/bob"))
    assert heard[-1][0].status == 200
    for _, task in heard:
        task.cancel()
