"""Copies at a CDN, as the API and the command line show them."""

from dataclasses import dataclass

from streamhost.model.cdn import CdnSync
from streamhost.model.clock import iso


@dataclass(frozen=True, slots=True)
class CopiesDocument:
    """How far a video's copies are: `none` (the CDN fetches what viewers ask for), `pending`, `synced` or `failed`, and
    then `cause` says why. `objects`: how many files were brought there."""

    state: str
    objects: int
    cause: str
    updated_at: str | None


def copies_document(sync: CdnSync) -> CopiesDocument:
    """The public form."""
    return CopiesDocument(sync.state.value, sync.objects, sync.cause, iso(sync.updated_at) if sync.updated_at else None)
