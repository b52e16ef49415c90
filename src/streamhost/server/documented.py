"""What routes say about their refusals in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from litestar.openapi.datastructures import ResponseSpec

from streamhost.server.errors import PROBLEM_TYPE, phrase_of

TOO_MANY = 429
PAGED = {"invalid_input": 422, "invalid_cursor": 422}
"""What a list by pages refuses."""
CHECKSUM_MISMATCH = 460
"""A status of tus' own (1.0.0, "Checksum"), which the registry of HTTP does not know."""
BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
"""`security` of a route that needs somebody who is signed in."""


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """What went wrong (RFC 9457): `code` is stable, `errors` has a sentence for each field that is wrong."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    hint: str | None = None
    errors: Mapping[str, str] | None = None
    request_id: str | None = None


def problems(**codes: int) -> dict[int, ResponseSpec]:
    """`responses` for a route that refuses with these codes: `problems(bad_credentials=401, too_many_attempts=429)`.

    Every route may say `too_many_requests`."""
    by_status: dict[int, list[str]] = {TOO_MANY: ["too_many_requests"]}
    for code, status in codes.items():
        by_status.setdefault(status, []).append(code)
    return {
        status: ResponseSpec(
            ProblemDocument,
            description=f"{_phrase(status)}: {', '.join(f'`{name}`' for name in names)}",
            media_type=PROBLEM_TYPE,
            generate_examples=False,
        )
        for status, names in by_status.items()
    }


def bodiless(status: int) -> dict[int, ResponseSpec]:
    """`responses` of a route whose good answer is all in its status and headers."""
    return {status: ResponseSpec(None, description=_phrase(status), generate_examples=False)}


def _phrase(status: int) -> str:
    return "Checksum Mismatch" if status == CHECKSUM_MISMATCH else phrase_of(status)
