"""The base of every error that a person or a program may meet.

The class is the situation: `code` is stable and public, the first line of the docstring is the sentence people read.
Which HTTP status or exit code belongs to it is the business of the doors (`server/errors.py`, `cli`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar


class StreamhostError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    hint: str | None = None
    """What the reader can do about it; a class default, or one for this occasion."""
    permanent: ClassVar[bool] = False
    """True where trying the same thing again cannot help (jobs are then not retried)."""
    retries: ClassVar[int | None] = None
    """How often a job that ended with this is tried again; None: as often as its task allows."""

    outage: ClassVar[bool] = False
    """True where something that is needed is away for a while: jobs wait for it, and their attempts do not count."""

    def __init__(self, detail: str = "", *, hint: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields: Mapping[str, str] = fields or {}
        if hint is not None:
            self.hint = hint

    @classmethod
    def title(cls) -> str:
        """The sentence for people: the first line of the class's docstring."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]

    def words(self) -> str:
        """What happened, as far as more is known than the class says."""
        return self.detail or self.title()

    def __str__(self) -> str:
        return f"{self.title()} {self.detail}".strip()


class NotFound(StreamhostError):
    """There is nothing here, or nothing that you may see."""

    code = "not_found"
    permanent = True


class Forbidden(StreamhostError):
    """You are signed in, but this is not yours to do."""

    code = "forbidden"
    permanent = True


class Unauthenticated(StreamhostError):
    """This needs somebody who is signed in."""

    code = "unauthenticated"
    hint = "Sign in, or send a valid access token."
    permanent = True


class InvalidInput(StreamhostError):
    """Some of what was sent cannot be accepted."""

    code = "invalid_input"
    hint = "See the fields named in `errors`."
    permanent = True


class Conflict(StreamhostError):
    """This does not fit the present state of the thing."""

    code = "conflict"


def known_errors(base: type[StreamhostError] = StreamhostError) -> Iterator[type[StreamhostError]]:
    """Every error class that has been imported so far, depth first (for the status table and the reference page)."""
    yield base
    for child in base.__subclasses__():
        yield from known_errors(child)
