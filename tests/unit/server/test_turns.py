"""Sign-ins take turns at the door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from streamhost.server.door import Message, Receive, Scope, Send
from streamhost.server.turns import LONGEST_QUEUE, PATHS, WHOLE_BODY, Turns

LOGIN = "/api/v1/auth/login"


class House:
    """An application that keeps every request until it is told to go on, and remembers what it was sent."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.bodies: list[bytes] = []
        self.go_on = asyncio.Event()

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Be asked."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.go_on.wait()
            body, more = b"", True
            while more:
                part = await receive()
                body, more = body + part.get("body", b""), part.get("more_body", False)
            self.bodies.append(body)
            assert (await receive())["type"] == "http.disconnect"
            await send({"type": "http.response.start", "status": 204})
        finally:
            self.inside -= 1


def request(*parts: bytes, path: str = LOGIN, method: str = "POST") -> tuple[Scope, Receive, list[Message], Send]:
    """A request whose body comes in these parts, and what it is answered."""
    left = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    left[-1]["more_body"] = False
    answers: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(0)
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answers.append(message)

    return {"type": "http", "method": method, "path": path}, receive, answers, send


async def all_of(turns: Turns, house: House, asked: list[tuple[Scope, Receive, list[Message], Send]]) -> int:
    """How many were inside at once before the house let any of them go on; in the end all are answered."""
    tasks = [asyncio.create_task(turns(scope, receive, send)) for scope, receive, _, send in asked]
    for _ in range(20):
        await asyncio.sleep(0)
    inside = house.inside
    house.go_on.set()
    await asyncio.gather(*tasks)
    assert all(answers for *_, answers, _ in asked)
    return inside


@pytest.mark.parametrize("path", sorted(PATHS))
async def test_so_many_at_once(path: str) -> None:
    """No more than said are let in, all get in in the end, and each with its whole body."""
    house = House()
    asked = [request(b"one ", b"%d" % number, path=path) for number in range(10)]
    assert await all_of(Turns(house, 2), house, asked) == 2
    assert house.most == 2
    assert sorted(house.bodies) == [b"one %d" % number for number in range(10)]


@pytest.mark.parametrize(("path", "method"), [(LOGIN, "GET"), ("/api/v1/videos", "POST"), ("/", "GET")])
async def test_others_wait_for_nobody(path: str, method: str) -> None:
    """What hashes no password is let in at once."""
    house = House()
    assert await all_of(Turns(house, 1), house, [request(b"x", path=path, method=method) for _ in range(5)]) == 5


async def test_a_large_body_takes_no_turn() -> None:
    """Whoever sends more than a form neither waits nor keeps others waiting, and nothing of it is lost."""
    house = House()
    large = [b"x" * WHOLE_BODY, b"y" * WHOLE_BODY, b"z"]
    assert await all_of(Turns(house, 1), house, [request(*large) for _ in range(3)]) == 3
    assert house.bodies == [b"".join(large)] * 3


async def test_a_slow_body_takes_no_turn() -> None:
    """Somebody who never sends the end of a form keeps nobody out."""
    house = House()
    turns = Turns(house, 1)
    scope, _, _, send = request(b"")

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    hanging = [asyncio.create_task(turns(scope, never, send)) for _ in range(3)]
    assert await all_of(turns, house, [request(b"quick")]) == 1
    for task in hanging:
        task.cancel()


async def test_a_long_queue() -> None:
    """Beyond the longest queue requests are let in: whoever hashes tells them that it is too much."""
    house = House()
    asked = [request(b"x") for _ in range(LONGEST_QUEUE + 4)]
    assert await all_of(Turns(house, 1), house, asked) == 4


async def test_who_fails_or_leaves_gives_the_turn_on() -> None:
    """After a failure inside, and after somebody inside or waiting has left, the next one gets in."""

    async def failing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise OSError

    def asked(turns: Callable[[Any, Any, Any], Awaitable[None]]) -> asyncio.Task[None]:
        scope, receive, _, send = request(b"x")
        return asyncio.create_task(turns(scope, receive, send))  # type: ignore[arg-type]

    broken = Turns(failing, 1)
    for _ in range(3):
        with pytest.raises(OSError):
            await asked(broken)
    house = House()
    turns = Turns(house, 1)
    leaving = [asked(turns) for _ in range(3)]
    for _ in range(10):
        await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    await asyncio.gather(*leaving, return_exceptions=True)
    assert await all_of(turns, house, [request(b"last")]) == 1
    assert house.bodies == [b"last"]
