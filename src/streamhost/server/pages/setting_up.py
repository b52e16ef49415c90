"""The first steps after the account of the administrator: each a page that can be skipped, left and found again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.status_codes import HTTP_200_OK, HTTP_422_UNPROCESSABLE_ENTITY

from streamhost.config import InvalidSettings, Settings
from streamhost.features.mail import Mail
from streamhost.features.models import ModelDesk
from streamhost.features.moderation import Moderation
from streamhost.features.overview import Overview
from streamhost.features.settings import SettingsDesk, SettingsNow, refusal
from streamhost.features.storekeeping import Checked, try_storage
from streamhost.model.errors import StreamhostError
from streamhost.server.auth import actor_of, user_of
from streamhost.server.home import home_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.pages.admin_frame import GUARDS
from streamhost.server.pages.forms import failing, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.model_shapes import model_views
from streamhost.server.pages.policy import chosen_profile, profile_choices
from streamhost.server.pages.shapes import bytes_text

AnyRequest = Request[Any, Any, Any]
SETUP = "/setup"
STEPS = (
    ("policy", "Who it is for"),
    ("storage", "Storage"),
    ("mail", "Mail"),
    ("models", "Models"),
    ("done", "Done"),
)
"""In their order; before them stands the account."""
S3_FIELDS = (
    "s3_bucket",
    "s3_endpoint",
    "s3_region",
    "s3_addressing",
    "s3_prefix",
    "s3_access_key_id",
    "s3_secret_access_key",
)
MAIL_FIELDS = ("host", "port", "security", "username", "password", "sender")
SECRETS = frozenset({"storage.s3_secret_access_key", "mail.password"})
TRY_SECONDS = 60.0
"""For a whole trial of a bucket: somebody sits and waits."""
MAIL_SECONDS = 8.0
"""For one step of handing over the test mail."""
DONE = {
    "storage": "The bucket does all that is needed. New media goes there from the next start.",
    "local": "Media stays on this machine.",
    "mail": "The mail server took a test mail for you. Look whether it arrives; it is used from the next start.",
    "saved": "Saved. Mail is sent from the next start.",
    "policy": "Chosen.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One of the steps, for the list above each page."""

    path: str
    name: str
    here: bool


@dataclass(frozen=True, slots=True)
class Known:
    """Something that is set up, or is not: in words, and where it is changed."""

    name: str
    words: str
    fine: bool
    link: str


def _page(request: AnyRequest, frame: Frame, here: str, **values: Any) -> Response[str]:
    names = [name for name, _ in STEPS]
    onward = names[min(names.index(here) + 1, len(names) - 1)]
    steps = [Step(f"{SETUP}/{name}", words, name == here) for name, words in STEPS]
    values = {"flash": None, **failing(None), **values}
    return frame.page(request, f"setup_{here}.html", steps=steps, onward=f"{SETUP}/{onward}", **values)


def _values(now: SettingsNow, section: str, names: Sequence[str], form: Texts | None = None) -> Texts:
    """What stands in the fields: what was typed, else what is set; never a secret."""
    found = Texts({one.field.name: str(one.value) for one in now.of(section) if one.field.key not in SECRETS})
    shown = (name for name in names if f"{section}.{name}" not in SECRETS)
    return Texts({name: form[name] if form is not None else found[name] for name in shown})


def _locked(now: SettingsNow, section: str, names: Sequence[str]) -> Texts:
    return Texts({one.field.name: one.locked for one in now.of(section) if one.locked and one.field.name in names})


def _changes(now: SettingsNow, section: str, names: Sequence[str], form: Texts) -> dict[str, str]:
    """What the form says, without secrets that were not typed anew and without what a variable decides."""
    locked = _locked(now, section, names)
    said = {f"{section}.{name}": form[name].strip() for name in names if name in form and name not in locked}
    return {key: value for key, value in said.items() if value or key not in SECRETS}


@get(f"{SETUP}/policy", guards=GUARDS, include_in_schema=False)
async def show_policy(
    request: AnyRequest, moderation: NamedDependency[Moderation], frame: NamedDependency[Frame]
) -> Response[str]:
    """Who the site is for: what is looked at before others may watch."""
    policies = moderation.policies
    chosen = (await policies.get()).profile
    return _page(request, frame, "policy", profiles=profile_choices(chosen), fixed=policies.fixed)


@post(f"{SETUP}/policy", guards=GUARDS, include_in_schema=False)
async def choose_policy(
    request: AnyRequest, moderation: NamedDependency[Moderation], frame: NamedDependency[Frame]
) -> Response[Any]:
    """Choose it, and go on."""
    form = await typed(request)
    try:
        await moderation.policies.choose(chosen_profile(form["profile"]), actor_of(request))
    except StreamhostError as error:
        profiles = profile_choices(form["profile"])
        return _page(request, frame, "policy", **failing(error), profiles=profiles, fixed=moderation.policies.fixed)
    return see(f"{SETUP}/storage")


@get(f"{SETUP}/storage", guards=GUARDS, include_in_schema=False)
async def show_storage(
    request: AnyRequest,
    settings_desk: NamedDependency[SettingsDesk],
    overview: NamedDependency[Overview],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """Where media is to lie."""
    return await _storage_page(request, settings_desk, overview, frame)


@post(f"{SETUP}/storage", guards=GUARDS, opt=limited(RouteClass.MAIL), include_in_schema=False)
async def choose_storage(
    request: AnyRequest,
    settings_desk: NamedDependency[SettingsDesk],
    settings: NamedDependency[Settings],
    overview: NamedDependency[Overview],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Stay on this machine, or try a bucket and take it if it does all that is needed."""
    form, now = await typed(request), await settings_desk.now()
    local = form["backend"] != "s3"
    changes = {"storage.backend": "local" if local else "s3"}
    changes |= {} if local else _changes(now, "storage", S3_FIELDS, form)
    found: list[Checked] = []
    try:
        if not local:
            wanted = (await settings_desk.tried(changes)).storage
            async with asyncio.timeout(TRY_SECONDS):
                found = await try_storage(wanted, settings.data, home_of(request, settings))
            if any(one.ok is False for one in found):
                return await _storage_page(request, settings_desk, overview, frame, form=form, found=found)
        await settings_desk.change(changes, actor_of(request))
    except TimeoutError:
        late = Checked("answer", False, f"It was not done within {TRY_SECONDS:g} seconds.", "Check the address.")
        return await _storage_page(request, settings_desk, overview, frame, form=form, found=[*found, late])
    except InvalidSettings as error:
        return await _storage_page(request, settings_desk, overview, frame, form=form, error=refusal(error, changes))
    except StreamhostError as error:
        return await _storage_page(request, settings_desk, overview, frame, form=form, error=error)
    return see(f"{SETUP}/mail?done={'local' if local else 'storage'}")


async def _storage_page(
    request: AnyRequest,
    desk: SettingsDesk,
    overview: Overview,
    frame: Frame,
    *,
    form: Texts | None = None,
    found: Sequence[Checked] = (),
    error: StreamhostError | None = None,
) -> Response[str]:
    now, disk = await desk.now(), await overview.disk()
    settings = now.by_key
    return _page(
        request,
        frame,
        "storage",
        **failing(
            error,
            otherwise=HTTP_422_UNPROCESSABLE_ENTITY if found else HTTP_200_OK,
            named=lambda key: key.removeprefix("storage."),
        ),
        backend=form["backend"] if form else settings["storage.backend"].value,
        form=_values(now, "storage", S3_FIELDS, form),
        locked=_locked(now, "storage", ("backend", *S3_FIELDS)),
        secret_set=settings["storage.s3_secret_access_key"].is_set,
        found=found,
        free=bytes_text(disk.free),
    )


@get(f"{SETUP}/mail", guards=GUARDS, include_in_schema=False)
async def show_mail(
    request: AnyRequest,
    settings_desk: NamedDependency[SettingsDesk],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """Which server takes the mail."""
    return await _mail_page(request, settings_desk, frame, flash=DONE.get(done))


@post(f"{SETUP}/mail", guards=GUARDS, opt=limited(RouteClass.MAIL), include_in_schema=False)
async def choose_mail(
    request: AnyRequest,
    settings_desk: NamedDependency[SettingsDesk],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Send a test mail by what was typed, and keep it if the server takes that; or keep it as it is."""
    form, now = await typed(request), await settings_desk.now()
    changes = _changes(now, "mail", MAIL_FIELDS, form)
    tries = form["do"] != "save"
    try:
        if tries:
            wanted = await settings_desk.tried(changes)
            brief = msgspec.structs.replace(wanted.mail, timeout_seconds=min(MAIL_SECONDS, wanted.mail.timeout_seconds))
            await mail.try_out(msgspec.structs.replace(wanted, mail=brief), user_of(request).email)
        await settings_desk.change(changes, actor_of(request))
    except InvalidSettings as error:
        return await _mail_page(request, settings_desk, frame, form=form, error=refusal(error, changes))
    except StreamhostError as error:
        return await _mail_page(request, settings_desk, frame, form=form, error=error)
    return see(f"{SETUP}/models?done={'mail' if tries else 'saved'}")


async def _mail_page(
    request: AnyRequest,
    desk: SettingsDesk,
    frame: Frame,
    *,
    form: Texts | None = None,
    error: StreamhostError | None = None,
    flash: str | None = None,
) -> Response[str]:
    now = await desk.now()
    return _page(
        request,
        frame,
        "mail",
        **failing(error, named=lambda key: key.removeprefix("mail.")),
        form=_values(now, "mail", MAIL_FIELDS, form),
        locked=_locked(now, "mail", MAIL_FIELDS),
        secret_set=now.by_key["mail.password"].is_set,
        to=user_of(request).email,
        flash=flash,
    )


@get(f"{SETUP}/models", guards=GUARDS, include_in_schema=False)
async def show_models(
    request: AnyRequest,
    model_desk: NamedDependency[ModelDesk],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """What looks at pictures and words, and what is missing for that."""
    return _page(request, frame, "models", models=model_views(await model_desk.states()), flash=DONE.get(done))


@post(f"{SETUP}/models", guards=GUARDS, include_in_schema=False)
async def install_models(request: AnyRequest, model_desk: NamedDependency[ModelDesk]) -> Response[Any]:
    """Have models brought here, one or all that can be; it is done in the background."""
    wanted = (await typed(request))["model"]
    for one in await model_desk.states():
        if one.can_install and wanted in ("", one.model.id):
            await model_desk.ask(one.model.id, actor_of(request))
    return see(f"{SETUP}/models")


@get(f"{SETUP}/done", guards=GUARDS, include_in_schema=False)
async def show_done(
    request: AnyRequest,
    settings_desk: NamedDependency[SettingsDesk],
    moderation: NamedDependency[Moderation],
    model_desk: NamedDependency[ModelDesk],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """How it all stands, what waits for a restart, and what to do next."""
    now, models = await settings_desk.now(), await model_desk.states()
    value = {key: one.value for key, one in now.by_key.items()}
    policy = (await moderation.policies.get()).profile
    profile = next((name for key, name, _, _ in profile_choices(policy) if key == policy), "")
    missing = [one.model.id for one in models if one.can_install]
    bucket = f"The bucket {value['storage.s3_bucket']}"
    known = [
        Known("Name", value["server.site_name"], True, "/admin/branding"),
        Known("Who it is for", profile, True, f"{SETUP}/policy"),
        Known(
            "Storage",
            {"local": "On this machine", "s3": bucket}.get(value["storage.backend"], value["storage.backend"]),
            True,
            f"{SETUP}/storage",
        ),
        Known("Mail", value["mail.host"] or "Printed where the server runs", bool(value["mail.host"]), f"{SETUP}/mail"),
        Known(
            "Models",
            f"Not here: {', '.join(missing)}" if missing else "All that can be had are here",
            not missing,
            f"{SETUP}/models",
        ),
        Known(
            "Address",
            value["server.public_url"] or "Not set: links in mails lead to the address it listens on",
            bool(value["server.public_url"]),
            "/admin/settings/server#server.public_url",
        ),
    ]
    return _page(request, frame, "done", known=known, now=now)


routes = [
    show_policy,
    choose_policy,
    show_storage,
    choose_storage,
    show_mail,
    choose_mail,
    show_models,
    install_models,
    show_done,
]
