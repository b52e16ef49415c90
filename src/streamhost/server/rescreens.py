"""The policy of moderation, and looks at every video anew, over HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from streamhost.features.moderation import Moderation
from streamhost.features.moderation.rescreening import MAX_PAGE
from streamhost.model.ids import RescreenId
from streamhost.model.verdicts import Profile
from streamhost.server import administration
from streamhost.server.accounts import BROKEN_BODY
from streamhost.server.auth import actor_of
from streamhost.server.documented import PAGED
from streamhost.server.documents.moderation import (
    ChangeDocument,
    PolicyDocument,
    RescreenDocument,
    change_document,
    policy_document,
    rescreen_document,
)
from streamhost.server.reports import TAGS, moderating

AnyRequest = Request[Any, Any, Any]
POLICY = "/api/v1/moderation/policy"
ALL = "/api/v1/moderation/rescreens"
ONE = ALL + "/{rescreen_id:str}"
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_PAGE, description="Videos on a page.")]


@dataclass(frozen=True, slots=True)
class ProfileRequest:
    """What the site is for: `private-home`, `community` or `public`."""

    profile: Profile


@dataclass(frozen=True, slots=True)
class ChangeList:
    """One page of what a re-screening would change, or has changed."""

    items: Sequence[ChangeDocument]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class RescreenList:
    """The re-screening that was begun last, if there ever was one."""

    items: Sequence[RescreenDocument]
    next_cursor: str | None


def changing(**codes: int) -> dict[str, Any]:
    """A route by which administrators change something."""
    return administration.changing(**codes) | {"tags": TAGS}


@get(POLICY, summary="The policy", **moderating())
async def show_policy(moderation: NamedDependency[Moderation]) -> PolicyDocument:
    """How this site decides about videos, and what nobody can look for because no model is installed."""
    policies = moderation.policies
    return policy_document(await policies.get(), policies.without_model(), fixed=policies.fixed)


@put(POLICY, summary="Choose the profile", **changing(**BROKEN_BODY, profile_fixed=409))
async def choose_profile(
    request: AnyRequest, data: JSONBody[ProfileRequest], moderation: NamedDependency[Moderation]
) -> PolicyDocument:
    """For what comes from now on; what was decided stays, until all videos are looked at anew."""
    policies = moderation.policies
    policy = await policies.choose(data.profile, actor_of(request))
    return policy_document(policy, policies.without_model(), fixed=policies.fixed)


@get(ALL, summary="The last re-screening", **moderating())
async def list_rescreens(moderation: NamedDependency[Moderation]) -> RescreenList:
    """The one that was begun last; of earlier ones nothing is kept."""
    run = await moderation.rescreening.newest()
    return RescreenList([rescreen_document(run)] if run else [], None)


@post(ALL, status_code=HTTP_202_ACCEPTED, summary="Look at every video anew", **changing(rescreen_busy=409))
async def begin_rescreen(request: AnyRequest, moderation: NamedDependency[Moderation]) -> RescreenDocument:
    """Finds out by jobs what would change, and changes nothing."""
    return rescreen_document(await moderation.rescreening.begin(actor_of(request)))


@get(ONE, summary="How far a re-screening is", **moderating(not_found=404))
async def show_rescreen(rescreen_id: FromPath[str], moderation: NamedDependency[Moderation]) -> RescreenDocument:
    """With `state` `looked` it can be applied."""
    return rescreen_document(await moderation.rescreening.get(RescreenId(rescreen_id)))


@get(ONE + "/changes", summary="What a re-screening changes", **moderating(not_found=404, **PAGED))
async def list_changes(
    rescreen_id: FromPath[str],
    moderation: NamedDependency[Moderation],
    cursor: FromQuery[str | None] = None,
    limit: Limit = 50,
) -> ChangeList:
    """Only the videos that would get, or got, another state."""
    page = await moderation.rescreening.changes(RescreenId(rescreen_id), cursor, limit)
    return ChangeList([change_document(one) for one in page.items], page.next_cursor)


@post(ONE + "/apply", status_code=HTTP_200_OK, summary="Make it so", **changing(not_found=404, rescreen_busy=409))
async def apply_rescreen(
    request: AnyRequest, rescreen_id: FromPath[str], moderation: NamedDependency[Moderation]
) -> RescreenDocument:
    """Puts what was found into effect, by jobs; what was decided or changed meanwhile counts."""
    return rescreen_document(await moderation.rescreening.apply(RescreenId(rescreen_id), actor_of(request)))


@delete(ONE, summary="End a re-screening", **changing(not_found=404))
async def cancel_rescreen(
    request: AnyRequest, rescreen_id: FromPath[str], moderation: NamedDependency[Moderation]
) -> None:
    """What was put into effect already stays so."""
    await moderation.rescreening.cancel(RescreenId(rescreen_id), actor_of(request))


routes = [
    show_policy,
    choose_profile,
    list_rescreens,
    begin_rescreen,
    show_rescreen,
    list_changes,
    apply_rescreen,
    cancel_rescreen,
]
