"""The CDN and the copies there, as the API and the command line show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamhost.features.cdn import Overview
from streamhost.model.cdn import CdnSync
from streamhost.model.clock import iso


@dataclass(frozen=True, slots=True)
class CopiesDocument:
    """How far a video's copies are: `none` (the CDN fetches what viewers ask for), `pending`, `synced` or `failed`, and
    then `cause` says why. `id` is the video's; `objects`: how many files were brought there."""

    id: str
    state: str
    objects: int
    cause: str
    updated_at: str | None


@dataclass(frozen=True, slots=True)
class TroubleDocument:
    """A folder whose copies could not be dropped; the job in the list of background work can be tried again."""

    prefix: str
    cause: str


@dataclass(frozen=True, slots=True)
class CdnDocument:
    """The CDN. `way`: direct (there is none), redirect (players are sent on for each segment) or grant (they go there
    with their permission). `videos` counts by the state of their copies; `copies` are those that changed last, up to a
    hundred."""

    kind: str
    way: str
    base_url: str
    push: bool
    videos: Mapping[str, int]
    purges_waiting: int
    purges_failed: Sequence[TroubleDocument]
    copies: Sequence[CopiesDocument]


def copies_document(sync: CdnSync) -> CopiesDocument:
    """The public form."""
    updated = iso(sync.updated_at) if sync.updated_at else None
    return CopiesDocument(sync.video_id, sync.state.value, sync.objects, sync.cause, updated)


def cdn_document(seen: Overview, copies: Sequence[CdnSync]) -> CdnDocument:
    """The public form."""
    return CdnDocument(
        kind=seen.kind,
        way=seen.way.value,
        base_url=seen.base_url,
        push=seen.push,
        videos={state.value: number for state, number in seen.counts.items()},
        purges_waiting=seen.purges_waiting,
        purges_failed=[TroubleDocument(one.prefix, one.cause) for one in seen.purges_failed],
        copies=[copies_document(one) for one in copies],
    )
