"""Quotas over HTTP: what one uses and may use, and what administrators allow somebody."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from streamhost.features.quota import Quotas, Usage
from streamhost.model.ids import UserId
from streamhost.server.accounts import BROKEN_BODY, NO_STORE, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.administration import changing, looking
from streamhost.server.auth import actor_of, signed_in, user_of
from streamhost.server.documented import BEARER, problems

AnyRequest = Request[Any, Any, Any]
LARGEST = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly (RFC 8259, 6)."""
Allowed = Annotated[int, Meta(ge=0, le=LARGEST, description="0: no limit.")]


@dataclass(frozen=True, slots=True)
class Share:
    """What is used and what may be; a `limit` of null is none."""

    used: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class TrashShare:
    """What lies in the trash."""

    bytes: int
    videos: int


@dataclass(frozen=True, slots=True)
class UsageDocument:
    """Bytes of the files that somebody has uploaded, and their videos, with what is still arriving, and with what lies
    in the trash: `trash` says how much of both that is."""

    bytes: Share
    videos: Share
    trash: TrashShare


@dataclass(frozen=True, slots=True)
class QuotaDocument:
    """What one user may keep: null for the site's default, 0 for no limit."""

    bytes: Allowed | None = None
    videos: Allowed | None = None


@dataclass(frozen=True, slots=True)
class UserQuotaDocument:
    """What one user uses, and what was set for this user alone."""

    usage: UsageDocument
    quota: QuotaDocument


def _usage(usage: Usage) -> UsageDocument:
    trash = TrashShare(usage.trash_bytes, usage.trash_videos)
    return UsageDocument(Share(usage.bytes, usage.max_bytes), Share(usage.videos, usage.max_videos), trash)


def _document(usage: Usage) -> UserQuotaDocument:
    return UserQuotaDocument(_usage(usage), QuotaDocument(usage.own_bytes, usage.own_videos))


@get(
    "/api/v1/me/quota",
    guards=[signed_in],
    cache_control=NO_STORE,
    summary="What I use, and may use",
    tags=["your account"],
    security=BEARER,
    responses=problems(**SIGNED_IN, **NOT_IN_PERSON),
)
async def show_mine(request: AnyRequest, quotas: NamedDependency[Quotas]) -> UsageDocument:
    """Before an upload: whether it would fit."""
    return _usage(await quotas.usage(user_of(request).id))


@get(
    "/api/v1/admin/users/{user_id:str}/quota",
    summary="A user's quota",
    **looking(not_found=404),
)
async def show_quota(user_id: FromPath[str], quotas: NamedDependency[Quotas]) -> UserQuotaDocument:
    """What a user uses, and what was set for them."""
    return _document(await quotas.usage(UserId(user_id)))


@put(
    "/api/v1/admin/users/{user_id:str}/quota",
    summary="Set a user's quota",
    **changing(**BROKEN_BODY, not_found=404),
)
async def set_quota(
    request: AnyRequest, user_id: FromPath[str], data: JSONBody[QuotaDocument], quotas: NamedDependency[Quotas]
) -> UserQuotaDocument:
    """What is there already stays, also where it is more."""
    return _document(await quotas.allow(UserId(user_id), data.bytes, data.videos, actor_of(request)))


routes = [show_mine, show_quota, set_quota]
