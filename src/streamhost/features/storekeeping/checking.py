"""Tries everything that a storage must do, step by step, and says of what fails what can be done about it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from streamhost.model.ids import new_id
from streamhost.ports import NotStored, Storage, StorageUnavailable
from streamhost.storage.abilities import Check

CONTENT = bytes(range(256)) * 8
FOLDER = "check/"
PATIENCE = 120.0
"""Seconds for one step."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One step: `ok` is None where it does not matter for these settings. `tried`: what needs something to be there was
    not tried where nothing could be written."""

    name: str
    ok: bool | None
    detail: str = ""
    hint: str = ""
    tried: bool = True


@runtime_checkable
class ChecksMore(Protocol):
    """A storage that knows more steps of its own."""

    def checks(self, folder: str, origin: str, *, by_viewers: bool) -> Sequence[Check]:
        """Steps that work below `folder`; `origin`: the site's. `by_viewers`: viewers are sent there."""
        ...


class _Wrong(Exception):
    """A step did something, but not the right thing."""


async def check(storage: Storage, origin: str, *, by_viewers: bool) -> AsyncIterator[Checked]:
    """Try the storage, in a folder of its own that is removed again. `origin`: the address of the site, for the rules
    of browsers; `by_viewers`: whether viewers are sent to the storage."""
    folder = f"{FOLDER}{new_id()}/"
    wrote = False
    for name, needs, step in _steps(storage, folder):
        if needs and not wrote:
            yield _untried(name, needed=True)
            continue
        checked = await _tried(name, step, needed=True)
        wrote = wrote or (name == "write" and checked.ok is True)
        yield checked
    if isinstance(storage, ChecksMore):
        for one in storage.checks(folder, origin, by_viewers=by_viewers):
            if one.needs_write and not wrote:
                yield _untried(one.name, needed=one.needed)
            else:
                yield await _tried(one.name, one.run, needed=one.needed)
    if wrote:
        yield await _tried("delete", lambda: _deletes(storage, folder), needed=True)


def _untried(name: str, *, needed: bool) -> Checked:
    return Checked(name, False if needed else None, "Not tried: nothing could be written.", tried=False)


async def _tried(name: str, step: Callable[[], Awaitable[str]], *, needed: bool) -> Checked:
    failed = False if needed else None
    try:
        async with asyncio.timeout(PATIENCE):
            return Checked(name, True, await step())
    except StorageUnavailable as error:
        return Checked(name, failed, error.detail, error.hint or "")
    except NotStored as error:
        return Checked(name, failed, f"{error.detail} was written and is not there.")
    except _Wrong as error:
        return Checked(name, failed, str(error))
    except TimeoutError:
        return Checked(name, failed, f"It was not done within {PATIENCE:g} seconds.")


def _steps(storage: Storage, folder: str) -> list[tuple[str, bool, Callable[[], Awaitable[str]]]]:
    """What the port asks for: name, whether something must have been written, and the step."""
    key = f"{folder}a.bin"

    async def write() -> str:
        await storage.put_bytes(key, CONTENT)
        return f"{len(CONTENT)} bytes were stored."

    async def read() -> str:
        _same(b"".join([piece async for piece in storage.read(key)]), CONTENT)
        return "They came back."

    async def part() -> str:
        _same(b"".join([piece async for piece in storage.read(key, 100, 300)]), CONTENT[100:300])
        return "A part of them came alone."

    async def replace() -> str:
        await storage.put_bytes(key, CONTENT[::-1])
        _same(b"".join([piece async for piece in storage.read(key)]), CONTENT[::-1])
        return "An object was replaced, and is the new one at once."

    async def several() -> str:
        with tempfile.TemporaryDirectory() as place:
            tree = Path(place) / "tree"
            await asyncio.to_thread(_fill, tree)
            await storage.put_tree(f"{folder}tree/", tree)
        return "Several files were stored at once."

    async def listing() -> str:
        found = [one.key async for one in storage.list(folder)]
        if found != sorted(found) or len(found) != 4:
            raise _Wrong(f"{len(found)} of 4 objects are listed.")
        return "All of it is listed, in order."

    return [
        ("write", False, write),
        ("read", True, read),
        ("range", True, part),
        ("replace", True, replace),
        ("several", True, several),
        ("list", True, listing),
    ]


async def _deletes(storage: Storage, folder: str) -> str:
    number = await storage.delete_prefix(folder)
    if [one async for one in storage.list(folder)]:
        raise _Wrong("Something that was deleted is still listed.")
    return f"{number} objects were deleted."


def _fill(tree: Path) -> None:
    tree.mkdir()
    for number in range(3):
        (tree / f"{number}.bin").write_bytes(CONTENT)


def _same(found: bytes, wanted: bytes) -> None:
    if found != wanted:
        raise _Wrong("What was read is not what was written.")
