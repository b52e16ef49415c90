"""Settings over HTTP, for administrators: what is set, changing it, starting the server anew; and the site's logo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litestar import Request, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from streamhost.features.branding import MAX_BYTES, Branding
from streamhost.features.settings import Setting, SettingsDesk, SettingsNow
from streamhost.server.accounts import BROKEN_BODY
from streamhost.server.administration import changing, looking
from streamhost.server.auth import actor_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.managing import BROKEN_FORM, small_file

AnyRequest = Request[Any, Any, Any]
SETTINGS = "/api/v1/admin/settings"
LOGO = "/api/v1/admin/logo"
REFUSED = {"invalid_settings": 422, "setting_not_here": 403, "setting_locked": 409, "settings_changed": 409}
REFUSED |= {"settings_not_writable": 503}


@dataclass(frozen=True, slots=True)
class SettingDocument:
    """One setting. `value` is what holds from the next start, of a secret only whether there is one (true or false).

    `origin`: `default`, the path of the file, or the variable. `locked`: a variable decides it. `machine`: it can only
    be changed on the machine. `live`: a change counts at once. `waits`: it was changed since the start, and is not in
    force yet."""

    key: str
    value: Any
    default: Any
    origin: str
    help: str
    allowed: str
    variable: str
    secret: bool
    locked: bool
    machine: bool
    live: bool
    waits: bool


@dataclass(frozen=True, slots=True)
class SettingsDocument:
    """Every setting. `version` changes with every word of the file; `waiting`: some count from the next start only."""

    file: str
    version: str
    waiting: bool
    items: Sequence[SettingDocument]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class SettingsOrder:
    """What to change: values by key, and keys that go back to their default. All of it is done, or nothing.

    `version`: what the file said when this was decided; left away, whatever it says is changed."""

    set: Mapping[str, Any] = field(default_factory=dict)
    unset: Sequence[str] = ()
    version: str | None = None


@dataclass(frozen=True, slots=True)
class LogoDocument:
    """The site's logo: where it is, and its size in pixels. `url` is null where the house's own mark is shown."""

    url: str | None
    width: int
    height: int


def _setting(one: Setting) -> SettingDocument:
    item = one.field
    return SettingDocument(
        key=item.key,
        value=one.is_set if item.secret else one.value,
        default=None if item.required else item.default,
        origin=one.origin,
        help=item.help,
        allowed=item.allowed,
        variable=item.variable,
        secret=item.secret,
        locked=bool(one.locked),
        machine=item.machine,
        live=item.live,
        waits=one.waits,
    )


def settings_document(now: SettingsNow) -> SettingsDocument:
    """The public form."""
    return SettingsDocument(str(now.path), now.version, bool(now.waiting), [_setting(one) for one in now.items])


def _logo(branding: Branding) -> LogoDocument:
    logo = branding.brand.logo
    return LogoDocument(logo.path, logo.width, logo.height) if logo else LogoDocument(None, 0, 0)


@get(SETTINGS, summary="Settings", **looking(invalid_settings=422))
async def show_settings(settings_desk: NamedDependency[SettingsDesk]) -> SettingsDocument:
    """Every setting, those of plugins too: its value, where that comes from, and from when on a change counts."""
    return settings_document(await settings_desk.now())


@patch(SETTINGS, summary="Change settings", **changing(**BROKEN_BODY, **REFUSED))
async def change_settings(
    request: AnyRequest, data: JSONBody[SettingsOrder], settings_desk: NamedDependency[SettingsDesk]
) -> SettingsDocument:
    """Write them into the settings file, once a rehearsal of the next start has gone well."""
    changes = {**dict.fromkeys(data.unset), **data.set}
    return settings_document(await settings_desk.change(changes, actor_of(request), data.version))


@post(
    "/api/v1/admin/restart",
    status_code=HTTP_202_ACCEPTED,
    summary="Start the server anew",
    **changing(restart_not_possible=409, invalid_input=422),
)
async def restart(request: AnyRequest, settings_desk: NamedDependency[SettingsDesk]) -> None:
    """What is being answered is answered first, jobs go back to the queue; it is back after a few seconds."""
    await settings_desk.restart(actor_of(request))


@get(LOGO, summary="The site's logo", **looking())
async def show_logo(branding: NamedDependency[Branding]) -> LogoDocument:
    """The logo, if one was sent."""
    return _logo(branding)


@put(
    LOGO,
    opt=limited(RouteClass.UPLOADS),
    summary="Send a logo",
    **changing(**BROKEN_FORM, not_picture=422) | {"request_max_body_size": MAX_BYTES + 64 * 1024},
)
async def send_logo(request: AnyRequest, branding: NamedDependency[Branding]) -> LogoDocument:
    """multipart/form-data with a JPEG, PNG or WebP in `file`; shown on every page at once."""
    picture, _ = await small_file(request, MAX_BYTES, f"At most {MAX_BYTES // 1024**2} MiB.")
    await branding.put(picture, actor_of(request))
    return _logo(branding)


@delete(LOGO, status_code=HTTP_204_NO_CONTENT, summary="Take the logo away", **changing())
async def remove_logo(request: AnyRequest, branding: NamedDependency[Branding]) -> None:
    """Show the house's own mark again."""
    await branding.remove(actor_of(request))


routes = [show_settings, change_settings, restart, show_logo, send_logo, remove_logo]
