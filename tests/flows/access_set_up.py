"""Who gets which answer where the site is set up and looked after as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from tests.flows.access_line import Line

SET_UP: Mapping[str, Line] = {
    "GET /brand.css": Line("200 200 200 200 200 200 200"),
    "GET /brand/{version}/{name}": Line("404 404 404 404 404 404 404"),
    "GET /site.webmanifest": Line("200 200 200 200 200 200 200"),
    "GET /api/v1/admin/settings": Line("401 403 403 403 403 200 401"),
    "PATCH /api/v1/admin/settings": Line("401 403 403 403 403 200 401", {"json": {"unset": ["server.accent"]}}),
    "POST /api/v1/admin/restart": Line("401 403 403 403 403 409 401"),
    "GET /api/v1/admin/logo": Line("401 403 403 403 403 200 401"),
    "PUT /api/v1/admin/logo": Line("401 403 403 403 403 422 401", {"files": {"file": ("a.png", b"no picture")}}),
    "DELETE /api/v1/admin/logo": Line("401 403 403 403 403 204 401"),
    "GET /admin/storage": Line("303 403 403 403 403 200 303"),
    "POST /admin/storage": Line("401 403 403 403 403 303 401"),
    "GET /admin/models": Line("303 403 403 403 403 200 303"),
    "POST /admin/models/{model_id}": Line("401 403 403 403 403 404 401"),
    "GET /setup/policy": Line("303 403 403 403 403 200 303"),
    "POST /setup/policy": Line("401 403 403 403 403 422 401", {"data": {"profile": "none"}}),
    "GET /setup/storage": Line("303 403 403 403 403 200 303"),
    "POST /setup/storage": Line("401 403 403 403 403 303 401", {"data": {"backend": "local"}}),
    "GET /setup/mail": Line("303 403 403 403 403 200 303"),
    "POST /setup/mail": Line("401 403 403 403 403 503 401", {"data": {"host": ""}}),
    "GET /setup/models": Line("303 403 403 403 403 200 303"),
    "POST /setup/models": Line("401 403 403 403 403 303 401", {"data": {"model": "none"}}),
    "GET /setup/done": Line("303 403 403 403 403 200 303"),
    "GET /admin/settings": Line("303 403 403 403 403 200 303"),
    "GET /admin/settings/{section}": Line("303 403 403 403 403 200 303"),
    "POST /admin/settings/{section}": Line("401 403 403 403 403 303 401", {"data": {"reset": "server.accent"}}),
    "POST /admin/restart": Line("401 403 403 403 403 409 401"),
    "GET /admin/branding": Line("303 403 403 403 403 200 303"),
    "POST /admin/branding": Line("401 403 403 403 403 303 401", {"data": {"name": "streamhost"}}),
    "POST /admin/branding/logo/remove": Line("401 403 403 403 403 303 401"),
    "GET /admin/branding/swatches.css": Line("303 403 403 403 403 200 303"),
}
