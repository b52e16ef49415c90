"""Who gets which answer where the trash is looked at and emptied."""

from __future__ import annotations

from collections.abc import Mapping

from tests.flows.access_line import Line

TRASH: Mapping[str, Line] = {
    "GET /api/v1/me/trash": Line("401 200 200 200 200 200 401"),
    "DELETE /api/v1/me/trash": Line("401 200 200 200 200 200 401"),
    "GET /studio/trash": Line("303 200 200 200 200 200 303"),
    "GET /studio/trash/empty": Line("303 200 200 200 200 200 303"),
    "POST /studio/trash/empty": Line("401 303 303 303 303 303 401"),
    "GET /studio/trash/{video_id}/delete": Line("303 404 404 404 404 404 303"),
    "POST /studio/trash/{video_id}/delete": Line("401 404 404 404 404 404 401"),
    "GET /api/v1/admin/trash": Line("401 403 403 403 403 200 401"),
    "GET /admin/trash": Line("303 403 403 403 403 200 303"),
}
