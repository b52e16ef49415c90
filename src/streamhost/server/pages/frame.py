"""What every page shares: the templates, and the values they all need."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response

from streamhost.model.accounts import Role, Viewer
from streamhost.model.branding import Brand
from streamhost.model.clock import Clock
from streamhost.server.assets import Assets
from streamhost.server.auth import csrf_token, viewer_of
from streamhost.server.brand import PHONE, TAB, picture_url, styles_url
from streamhost.server.errors import Problem

AnyRequest = Request[Any, Any, Any]

NO_STORE = {"Cache-Control": "no-store"}
"""Every page carries a token, and shows what this viewer may see."""
THEMES = ("light", "dark")
UNREAD = "streamhost.unread"
"""Where a request carries how many notifications whoever asks has not read."""


class Texts(dict[str, str]):
    """What was typed into the fields of a form, or what is wrong with them; empty where nothing is."""

    def __missing__(self, key: str) -> str:
        return ""


class Frame:
    """Renders templates in the frame of the site: header, menu, footer, and who is signed in."""

    def __init__(self, assets: Assets, brand: Brand, registration_open: bool, clock: Clock) -> None:
        self.now = clock
        self._brand = brand
        self._registration_open = registration_open
        self._assets = assets
        self._templates = Environment(
            loader=FileSystemLoader(assets.templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @property
    def site_name(self) -> str:
        """What the site is called now."""
        return self._brand.name

    def page(
        self, request: AnyRequest, template: str, status_code: int = HTTPStatus.OK, **values: Any
    ) -> Response[str]:
        """A whole page; `error` among the values may say when to come back. Raises `UiNotBuilt` where the scripts and
        styles are missing."""
        text = self._render(request, template, **values)
        wait = getattr(values.get("error"), "retry_after", None)
        headers = NO_STORE if wait is None else {**NO_STORE, "Retry-After": str(math.ceil(wait))}
        return Response(text, status_code=status_code, media_type=MediaType.HTML, headers=headers)

    def error_text(self, request: AnyRequest, problem: Problem) -> str:
        """The whole page that says what went wrong and where to go from here. Raises `UiNotBuilt`."""
        return self._render(
            request,
            "error.html",
            status=problem.status,
            title=problem.title,
            detail=problem.detail,
            hint=problem.hint,
            code=problem.code,
            request_id=problem.request_id,
        )

    def _render(self, request: AnyRequest, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(
            site=_site(self._brand, self._assets),
            registration_open=self._registration_open,
            asset=self._assets,
            me=_me(viewer_of(request)),
            csrf_token=_Token(request),
            path=request.url.path,
            unread=request.scope["state"].get(UNREAD, 0),
            theme=_theme(request),
            page_name=template.removesuffix(".html").replace("_", "-"),
            **values,
        )


def _site(brand: Brand, assets: Assets) -> dict[str, Any]:
    """What a page shows of the site itself."""
    logo = brand.logo
    return {
        "name": brand.name,
        "styles": styles_url(brand),
        "logo": {"url": logo.path, "width": logo.width, "height": logo.height} if logo else None,
        "icon": picture_url(brand, TAB) or assets.logo,
        "touch_icon": picture_url(brand, PHONE),
    }


class _Token:
    """The token for the forms of a page. One is made, and a visit begun, only where the page has a place for it."""

    def __init__(self, request: AnyRequest) -> None:
        self._request = request

    def __str__(self) -> str:
        return csrf_token(self._request)


def _me(viewer: Viewer) -> dict[str, Any] | None:
    user = viewer.user
    if user is None:
        return None
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "role": user.role.value,
        "initial": user.name[:1],
        "can_upload": user.is_at_least(Role.CREATOR),
        "is_moderator": user.is_at_least(Role.MODERATOR),
        "is_admin": user.is_at_least(Role.ADMIN),
    }


def _theme(request: AnyRequest) -> str | None:
    """What the viewer chose by the toggle; None follows their system."""
    chosen = request.cookies.get("theme")
    return chosen if chosen in THEMES else None
