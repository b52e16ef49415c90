"""The policy of the site, for administrators: its profile, the lines, whom it trusts, and the models there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from streamhost.features.mail import Mail
from streamhost.features.models import Models
from streamhost.features.moderation import Moderation
from streamhost.model.accounts import Role
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.moderation import Aspect
from streamhost.model.verdicts import Policy, Profile, Publish
from streamhost.server.auth import actor_of
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.desk_shapes import ASPECTS
from streamhost.server.pages.forms import failing, see, typed
from streamhost.server.pages.frame import Frame

AnyRequest = Request[Any, Any, Any]
POLICY = "/admin/moderation"
PROFILES = (
    (
        Profile.PRIVATE_HOME,
        "Private home",
        "For a family, a club, a team: whoever may upload is trusted. Nothing is screened before others may watch.",
    ),
    (
        Profile.COMMUNITY,
        "Community",
        "For people who know each other a little: models look first, and what they are not sure of waits for a person.",
    ),
    (
        Profile.PUBLIC,
        "Public",
        "For a site that is open to everybody: like a community, but stricter, and only administrators are trusted.",
    ),
)
"""What can be chosen, in words."""
DONE = {"chosen": "The profile is chosen. It counts for what comes from now on; look again at what is here if need be."}


@dataclass(frozen=True, slots=True)
class LineView:
    """What the policy says of one aspect, and who looks for it."""

    label: str
    medium: str
    high: str
    frames: int
    screened: bool
    models: Sequence[str]
    missing: Sequence[str]


def profile_choices(chosen: str) -> list[tuple[str, str, str, bool]]:
    """For a form: value, name, words, whether it is chosen."""
    return [(profile.value, name, words, profile == chosen) for profile, name, words in PROFILES]


def chosen_profile(text: str) -> Profile:
    """The profile that a form says. Raises `InvalidInput`."""
    if text not in set(Profile):
        raise InvalidInput(fields={"profile": "Choose one of these."})
    return Profile(text)


def trust_text(policy: Policy) -> str:
    """Whom the policy trusts, in words."""
    if policy.trusted is None:
        return "Nobody: everything is screened."
    trusted = [role.value for role in Role if role is not Role.VIEWER and role.includes(policy.trusted)]
    return f"What these upload is approved unseen: {', '.join(trusted)}."


@get(POLICY, guards=GUARDS, include_in_schema=False)
async def show_policy(
    request: AnyRequest,
    moderation: NamedDependency[Moderation],
    models: NamedDependency[Models],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """How the site decides about videos."""
    return await _page(request, moderation, models, mail, frame, flash=DONE.get(done))


@post(POLICY, guards=GUARDS, include_in_schema=False)
async def choose_profile(
    request: AnyRequest,
    moderation: NamedDependency[Moderation],
    models: NamedDependency[Models],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Choose another profile."""
    form = await typed(request)
    try:
        await moderation.policies.choose(chosen_profile(form["profile"]), actor_of(request))
    except StreamhostError as error:
        return await _page(request, moderation, models, mail, frame, error=error)
    return see(f"{POLICY}?done=chosen")


async def _page(
    request: AnyRequest,
    moderation: Moderation,
    models: Models,
    mail: Mail,
    frame: Frame,
    *,
    error: StreamhostError | None = None,
    flash: str | None = None,
) -> Response[str]:
    policy = await moderation.policies.get()
    first = policy.publish is Publish.SCREEN_FIRST
    return await admin_page(
        request,
        frame,
        mail,
        "admin_moderation.html",
        **failing(error),
        profiles=profile_choices(policy.profile),
        fixed=moderation.policies.fixed,
        trust=trust_text(policy),
        publish="Others may watch once a video is approved." if first else "Others may watch until something is found.",
        lines=[_line(aspect, policy, models) for aspect in Aspect],
        flash=flash,
    )


def _line(aspect: Aspect, policy: Policy, models: Models) -> LineView:
    lines = policy.lines_of(aspect)
    those = [model for model in models.registry.models() if aspect in model.manifest.aspects]
    return LineView(
        ASPECTS[aspect],
        f"{lines.medium:g}",
        f"{lines.high:g}" if aspect.category in policy.rejects else "never",
        lines.frames,
        aspect not in policy.ignored,
        [f"{one.id} {one.manifest.version}" for one in those if one.state() == "installed"],
        [one.id for one in those if one.state() != "installed"],
    )


routes = [show_policy, choose_profile]
