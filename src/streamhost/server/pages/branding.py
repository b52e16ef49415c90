"""The administration: the site's name, logo and colour."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from streamhost.features.branding import Branding
from streamhost.features.mail import Mail
from streamhost.features.settings import SettingsDesk
from streamhost.model.branding import DARK_GROUNDS, LIGHT_GROUNDS, OWN, Brand, both, contrast
from streamhost.model.errors import StreamhostError
from streamhost.server.accounts import NO_STORE
from streamhost.server.auth import actor_of
from streamhost.server.brand import CSS, LARGE, picture_url
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.forms import failing, see, typed
from streamhost.server.pages.frame import Frame, Texts

AnyRequest = Request[Any, Any, Any]
BRANDING = "/admin/branding"
NAME, ACCENT = "server.site_name", "server.accent"
FIELDS = {NAME: "name", ACCENT: "accent"}
"""What the form calls them."""
DONE = {"saved": "Saved. It counts already, on every page.", "removed": "The logo is taken away."}
SUGGESTED = (OWN, "#1f5fbf", "#6a3fb5", "#b3267a", "#b3261e", "#8a5300", "#3f6212", "#0f6674")
"""Colours to begin with; any other may be chosen."""


@dataclass(frozen=True, slots=True)
class SwatchView:
    """How a colour comes out in one theme: its shades, and the contrast of words (WCAG 2.2 asks for 4.5)."""

    theme: str
    accent: str
    on: str
    wash: str
    words: str
    button: str
    kept: bool
    """Whether it is the colour itself, and not a shade of it."""


def swatches(accent: str) -> list[SwatchView]:
    """The shades of a colour."""
    chosen, views = accent.lower(), []
    for theme, shades, ground in zip(("light", "dark"), both(accent), (LIGHT_GROUNDS[0], DARK_GROUNDS[0]), strict=True):
        views.append(
            SwatchView(
                theme,
                shades.accent,
                shades.on,
                shades.wash,
                f"{contrast(shades.accent, ground):.1f}",
                f"{contrast(shades.on, shades.accent):.1f}",
                chosen in ("", shades.accent),
            )
        )
    return views


@get(BRANDING, guards=GUARDS, include_in_schema=False)
async def show_branding(
    request: AnyRequest,
    settings_desk: NamedDependency[SettingsDesk],
    branding: NamedDependency[Branding],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """The form, and how it looks now."""
    return await _page(request, settings_desk, branding.brand, mail, frame, flash=DONE.get(done))


@post(BRANDING, guards=GUARDS, include_in_schema=False)
async def change_branding(
    request: AnyRequest,
    settings_desk: NamedDependency[SettingsDesk],
    branding: NamedDependency[Branding],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Change name and colour: they are settings like others."""
    form = await typed(request)
    accent = form["accent"].strip() if form["suggested"] in ("", "own") else form["suggested"]
    changes: dict[str, str | None] = {NAME: form["name"].strip(), ACCENT: accent or None}
    try:
        await settings_desk.change(changes, actor_of(request), form["version"] or None)
    except StreamhostError as error:
        return await _page(request, settings_desk, branding.brand, mail, frame, error=error, form=form)
    return see(f"{BRANDING}?done=saved")


@post(BRANDING + "/logo/remove", guards=GUARDS, include_in_schema=False)
async def remove_logo(request: AnyRequest, branding: NamedDependency[Branding]) -> Response[Any]:
    """Show the house's own mark again."""
    await branding.remove(actor_of(request))
    return see(f"{BRANDING}?done=removed")


@get(BRANDING + "/swatches.css", guards=GUARDS, cache_control=NO_STORE, include_in_schema=False)
async def show_swatches(branding: NamedDependency[Branding]) -> Response[str]:
    """The colours of the samples on the page: no page of ours carries styles in itself."""
    lines = [f".swatches__one--{place} {{ background: {colour}; }}" for place, colour in enumerate(SUGGESTED, 1)]
    for one in swatches(branding.brand.accent):
        lines += [
            f".sample--{one.theme} .sample__link {{ color: {one.accent}; }}",
            f".sample--{one.theme} .sample__button {{ background: {one.accent}; color: {one.on}; }}",
            f".sample--{one.theme} .sample__wash {{ background: {one.wash}; border-color: {one.accent}; }}",
        ]
    return Response("\n".join(lines), media_type=CSS)


async def _page(
    request: AnyRequest,
    desk: SettingsDesk,
    brand: Brand,
    mail: Mail,
    frame: Frame,
    *,
    error: StreamhostError | None = None,
    form: Texts | None = None,
    flash: str | None = None,
) -> Response[str]:
    now = await desk.now()
    locked = {one.field.key: one.locked for one in now.items if one.locked}
    return await admin_page(
        request,
        frame,
        mail,
        "admin_branding.html",
        **failing(error, named=lambda key: FIELDS.get(key, key)),
        version=now.version,
        name=form["name"] if form else brand.name,
        accent=form["accent"] if form else brand.accent,
        own=OWN,
        suggested=SUGGESTED,
        swatches=swatches(brand.accent),
        locked=locked,
        icon=picture_url(brand, LARGE),
        flash=flash,
    )


routes = [show_branding, change_branding, remove_logo, show_swatches]
