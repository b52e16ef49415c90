"""The administration: every setting, to look at and to change, and the server started anew."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_202_ACCEPTED

from streamhost.config import InvalidSettings, Settings
from streamhost.features.mail import Mail
from streamhost.features.overview import Overview
from streamhost.features.settings import Setting, SettingsDesk, SettingsNow
from streamhost.model.clock import iso
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.server.auth import actor_of
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.forms import complaint, failing, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.setting_shapes import changes_of, inputs, tables, title_of

AnyRequest = Request[Any, Any, Any]
SETTINGS = "/admin/settings"
RESTART = "/admin/restart"
DONE = {
    "saved": "Saved.",
    "now": "Saved. It counts already.",
    "later": "Saved. What waits for a restart counts from then on.",
}


@get(SETTINGS, guards=GUARDS, include_in_schema=False)
async def show_settings(
    request: AnyRequest,
    settings_desk: NamedDependency[SettingsDesk],
    settings: NamedDependency[Settings],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    q: FromQuery[str] = "",
) -> Response[str]:
    """The tables of the settings file; or the settings in which some words occur."""
    try:
        now = await settings_desk.now()
    except InvalidSettings as error:
        return await admin_page(
            request, frame, mail, "admin_settings.html", tables=(), found=None, q="", now=None, error=complaint(error)
        )
    found = inputs(_found(now, q)) if q.strip() else None
    return await admin_page(
        request, frame, mail, "admin_settings.html", tables=tables(now), found=found, q=q, now=now, data=settings.data
    )


def _found(now: SettingsNow, words: str) -> list[Setting]:
    """Settings with all of these words in their name or help."""
    wanted = words.lower().split()
    return [
        one
        for one in now.items
        if all(word in f"{one.field.key} {one.field.help} {title_of(one.field.section)}".lower() for word in wanted)
    ]


@get(SETTINGS + "/{section:str}", guards=GUARDS, include_in_schema=False)
async def show_table(
    request: AnyRequest,
    section: FromPath[str],
    settings_desk: NamedDependency[SettingsDesk],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """The settings of one table, in a form."""
    now = await settings_desk.now()
    return await _table_page(request, section, now, mail, frame, flash=DONE.get(done))


@post(SETTINGS + "/{section:str}", guards=GUARDS, include_in_schema=False)
async def change_table(
    request: AnyRequest,
    section: FromPath[str],
    settings_desk: NamedDependency[SettingsDesk],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Change what differs, or let one go back to its default."""
    form, before = await typed(request), await settings_desk.now()
    settings = _of(before, section)
    changes = {form["reset"]: None} if form["reset"] else changes_of(settings, form)
    try:
        after = await settings_desk.change(changes, actor_of(request), form["version"] or None)
    except StreamhostError as error:
        return await _table_page(request, section, await settings_desk.now(), mail, frame, error=error, form=form)
    changed = after.by_key
    touched = [one.field for one in settings if one.field.key in changes and changed[one.field.key].value != one.value]
    done = "now" if touched and all(field.live for field in touched) else "later" if touched else "saved"
    return see(f"{SETTINGS}/{section}?done={done}")


def _of(now: SettingsNow, section: str) -> Sequence[Setting]:
    settings = now.of(section)
    if not settings:
        raise NotFound
    return settings


async def _table_page(
    request: AnyRequest,
    section: str,
    now: SettingsNow,
    mail: Mail,
    frame: Frame,
    *,
    error: StreamhostError | None = None,
    form: Texts | None = None,
    flash: str | None = None,
) -> Response[str]:
    settings = _of(now, section)
    [table] = [one for one in tables(now) if one.name == section]
    fields = error.fields if error else {}
    return await admin_page(
        request,
        frame,
        mail,
        "admin_settings_table.html",
        **failing(error),
        table=table,
        settings=inputs(settings, form, fields),
        now=now,
        elsewhere=[(key, words) for key, words in fields.items() if not key.startswith(f"{section}.")],
        flash=flash,
    )


@post(RESTART, guards=GUARDS, status_code=HTTP_202_ACCEPTED, include_in_schema=False)
async def restart(
    request: AnyRequest,
    settings_desk: NamedDependency[SettingsDesk],
    overview: NamedDependency[Overview],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Start the server anew, and wait for it on a page that goes on by itself."""
    form = await typed(request)
    await settings_desk.restart(actor_of(request))
    onward = "/setup/done" if form["next"] == "setup" else SETTINGS
    return await admin_page(
        request, frame, mail, "admin_restart.html", HTTP_202_ACCEPTED, started=iso(overview.started_at), onward=onward
    )


routes = [show_settings, show_table, change_table, restart]
