"""The site's colour and logo as files that pages ask for: a stylesheet, pictures, and the manifest of the site."""

from __future__ import annotations

import json
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from streamhost.features.branding import Branding
from streamhost.model.branding import PICTURES, Brand, Shades, both
from streamhost.server.assets import FOR_AN_HOUR, FOR_EVER, Assets
from streamhost.server.auth import public
from streamhost.server.feeds import fresh

AnyRequest = Request[Any, Any, Any]
STYLES = "/brand.css"
MANIFEST = "/site.webmanifest"
CSS = "text/css; charset=utf-8"
MANIFEST_TYPE = "application/manifest+json"
PNG = "image/png"
NOSNIFF = {"X-Content-Type-Options": "nosniff"}
FOR_ALL = {"Cross-Origin-Resource-Policy": "cross-origin"}
"""Feed readers and mail programs show the logo too."""
SHORT_NAME = 12
TAB, PHONE, SMALL, LARGE = "icon-32.png", "icon-180.png", "icon-192.png", "icon-512.png"


def stylesheet(accent: str) -> str:
    """The house's tokens (web/styles/tokens.css) in shades of another colour; nothing for the house's own."""
    if not accent:
        return ""
    light, dark = both(accent)
    lines = [f"  --{name}: light-dark({one}, {other});" for name, one, other in _pairs(light, dark)]
    return "\n".join([":root {", *lines, "}", ""])


def _pairs(light: Shades, dark: Shades) -> list[tuple[str, str, str]]:
    return [
        ("accent", light.accent, dark.accent),
        ("accent-strong", light.strong, dark.strong),
        ("on-accent", light.on, dark.on),
        ("accent-wash", light.wash, dark.wash),
    ]


def styles_url(brand: Brand) -> str:
    """Where the stylesheet of the site's colour is, at an address that changes with it; empty if it has none."""
    return f"{STYLES}?v={brand.accent.lstrip('#').lower()}" if brand.accent else ""


def picture_url(brand: Brand, name: str) -> str:
    """Where one of the logo's pictures is, at an address that changes with it; empty if there is no logo."""
    return brand.logo.at(name) if brand.logo else ""


@get(STYLES, guards=[public], include_in_schema=False)
async def show_styles(request: AnyRequest, branding: NamedDependency[Branding]) -> Response[bytes]:
    """The site's colour, as a stylesheet that comes after the house's own."""
    return fresh(request, stylesheet(branding.brand.accent).encode(), CSS, {"Cache-Control": FOR_AN_HOUR, **NOSNIFF})


@get(PICTURES + "{version:str}/{name:str}", guards=[public], include_in_schema=False)
async def show_picture(
    request: AnyRequest, version: FromPath[str], name: FromPath[str], branding: NamedDependency[Branding]
) -> Response[bytes]:
    """The logo in one of its sizes. An old address leads to the new picture, for a while."""
    body = branding.picture(name)
    current = branding.brand.logo is not None and version == branding.brand.logo.version
    kept = FOR_EVER if current else FOR_AN_HOUR
    return fresh(request, body, PNG, {"Cache-Control": kept, **NOSNIFF, **FOR_ALL})


@get(MANIFEST, guards=[public], include_in_schema=False)
async def show_manifest(
    request: AnyRequest, branding: NamedDependency[Branding], assets: NamedDependency[Assets]
) -> Response[bytes]:
    """The site's name, colour and icons for browsers (W3C Web Application Manifest)."""
    brand = branding.brand
    own = {"src": assets.logo, "sizes": "any", "type": "image/svg+xml"}
    icons = [
        {"src": picture_url(brand, name), "sizes": f"{side}x{side}", "type": PNG}
        for name, side in ((SMALL, 192), (LARGE, 512))
    ]
    document = {
        "name": brand.name,
        "short_name": brand.name[:SHORT_NAME],
        "start_url": "/",
        "scope": "/",
        "display": "browser",
        "theme_color": both(brand.accent)[0].accent,
        "background_color": "#f6f6f3",
        "icons": icons if brand.logo else [own],
    }
    body = json.dumps(document, ensure_ascii=False).encode()
    return fresh(request, body, MANIFEST_TYPE, {"Cache-Control": FOR_AN_HOUR, **NOSNIFF})


routes = [show_styles, show_picture, show_manifest]
