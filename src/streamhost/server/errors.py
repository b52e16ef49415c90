"""The one table from error to HTTP status, and the answers that errors become: RFC 9457 problem+json, or a page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from streamhost import log
from streamhost.model.errors import InvalidInput, StreamhostError

PROBLEM_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:streamhost:error:"
"""`type` of a problem is a URN with the code: stable, and no page anywhere has to exist (RFC 9457, 3.1.1)."""
API_PREFIXES = ("/api/", "/s/", "/livez", "/readyz", "/startupz", "/metrics")
"""Below these, errors are JSON whatever the client accepts."""

INTERNAL = 500
STATUS: Mapping[str, int] = {
    "invalid_input": 422,
    "not_found": 404,
    "forbidden": 403,
    "unauthenticated": 401,
    "conflict": 409,
    # playing
    "invalid_grant": 403,
    "grant_expired": 403,
    "grant_revoked": 403,
    "not_playable": 409,
    "bad_licence_request": 400,
    "challenge_too_large": 413,
    "key_source_gone": 503,
    "share_link_over": 410,
    "too_many_guesses": 429,
    # reports
    "too_many_reports": 429,
    "range_not_satisfiable": 416,
    "method_not_allowed": 405,
    # other sites, feeds
    "embedding_not_allowed": 403,
    "unknown_format": 501,
    # the trash
    "trashed_by_others": 403,
    # posters and captions
    "not_picture": 422,
    "not_captions": 422,
    "too_many_captions": 409,
    # recommendations
    "no_visitor": 401,
    # plugins
    "refused_by_plugin": 403,
    "plugin_failed": 503,
    # work and files
    "download_not_allowed": 403,
    # storage and catalog
    "not_stored": 404,
    "invalid_key": 404,
    "storage_unavailable": 503,
    "catalog_unavailable": 503,
    # uploads; 460 is tus' own (1.0.0, "Checksum")
    "upload_gone": 410,
    "checksum_mismatch": 460,
    "unknown_checksum": 400,
    "too_large": 413,
    "no_room": 507,
    "over_quota": 507,
    "invalid_upload_length": 400,
    "invalid_parts": 400,
    "client_gone": 400,
    "client_silent": 408,
    "unsupported_tus_version": 412,
    "malformed_upload": 400,
    "malformed_form": 400,
    "unsupported_media_type": 415,
    # delivery by others
    "invalid_ticket": 403,
    "cdn_unavailable": 503,
    "cdn_refused": 502,
    # screening
    "classifier_unavailable": 503,
    "model_missing": 503,
    "model_broken": 503,
    "model_shipped": 409,
    "model_not_there": 409,
    "video_rejected": 403,
    "not_made": 409,
    "no_case": 409,
    "claimed_by_other": 409,
    "changed_meanwhile": 409,
    "nothing_to_undo": 409,
    "profile_fixed": 409,
    "rescreen_busy": 409,
    # limits
    "too_many_requests": 429,
    # accounts
    "too_many_attempts": 429,
    "invalid_link": 400,
    "link_expired": 410,
    "link_used": 410,
    "hashing_unavailable": 503,
    "cache_unavailable": 503,
    # mail
    "mail_unavailable": 503,
    "mail_refused": 422,
    "notify_unavailable": 503,
    "notify_refused": 422,
    # notifications
    "webhook_off": 409,
    "invalid_unsubscribe_link": 400,
    # figures
    "reports_backlog": 503,
    # pages
    "ui_not_built": 503,
    # settings
    "invalid_settings": 422,
    "settings_not_writable": 503,
}
"""By the code of a class; a class without a line of its own is treated as the class it derives from."""

FRAMEWORK_CODES: Mapping[int, str] = {
    400: "malformed_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "request_too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    431: "headers_too_large",
    503: "unavailable",
}
"""Codes for what the framework itself refuses."""

_logger = log.get("server")


PHRASES = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
"""Names of statuses by RFC 9110 that Python has only since 3.13."""


def phrase_of(status: int) -> str:
    """The name of a status, the same with every Python."""
    return PHRASES.get(status) or HTTPStatus(status).phrase


def status_of(error: StreamhostError | type[StreamhostError]) -> int:
    """The HTTP status for an error: the line of the nearest class that has one."""
    kind = error if isinstance(error, type) else type(error)
    for ancestor in kind.__mro__:
        if issubclass(ancestor, StreamhostError) and "code" in vars(ancestor) and ancestor.code in STATUS:
            return STATUS[ancestor.code]
    return INTERNAL


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong: the members of RFC 9457, and our own `code`, `hint` and `errors` by field."""

    status: int
    code: str
    title: str
    detail: str = ""
    hint: str | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    request_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def members(self) -> dict[str, Any]:
        """The members of the JSON object, without the empty ones."""
        members = {
            "type": TYPE_PREFIX + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "hint": self.hint,
            "errors": dict(self.errors),
            "request_id": self.request_id,
        }
        return {name: value for name, value in members.items() if value not in ("", None, {})}

    def body(self) -> bytes:
        """The JSON text."""
        return json.dumps(self.members(), ensure_ascii=False).encode()


def problem_of(
    error: BaseException, request_id: str | None = None, names: Mapping[str, str] = MappingProxyType({})
) -> Problem:
    """What the client is told. Of an unexpected error nothing but a request id, under which the log has the rest.

    `names`: what clients call parameters that have another name in Python."""
    if isinstance(error, StreamhostError) and status_of(error) != INTERNAL:
        return _expected(error)
    if isinstance(error, ValidationException):
        return _invalid(error, names)
    if isinstance(error, HTTPException) and error.status_code < INTERNAL:
        return _refused(error)
    return Problem(
        INTERNAL,
        "internal",
        "Something went wrong inside the server.",
        hint="Try again. If it stays, ask the administrator to look up the request id in the server's log.",
        request_id=request_id,
    )


def _expected(error: StreamhostError) -> Problem:
    status = status_of(error)
    detail = error.detail if status < INTERNAL or status == HTTPStatus.INSUFFICIENT_STORAGE else ""
    headers: dict[str, str] = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.code == "insufficient_scope":
        headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
    wait = getattr(error, "retry_after", None)
    if wait is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    return Problem(status, error.code, error.title(), detail, error.hint, error.fields, headers=headers)


def _invalid(error: ValidationException, names: Mapping[str, str]) -> Problem:
    """Litestar's findings about parameters and body as one `invalid_input` with a sentence for each field."""
    fields: dict[str, str] = {}
    for entry in error.extra if isinstance(error.extra, list) else []:
        if isinstance(entry, dict) and "message" in entry:
            key = str(entry.get("key") or "body")
            fields[names.get(key, key)] = str(entry["message"])
    return Problem(
        STATUS[InvalidInput.code], InvalidInput.code, InvalidInput.title(), hint=InvalidInput.hint, errors=fields
    )


def _refused(error: HTTPException) -> Problem:
    phrase = phrase_of(error.status_code)
    # The framework's default detail is Python's name.
    detail = "" if error.detail == HTTPStatus(error.status_code).phrase else error.detail
    headers = {name.title(): value for name, value in (error.headers or {}).items()}
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Problem(
        error.status_code, FRAMEWORK_CODES.get(error.status_code, "refused"), f"{phrase}.", detail, headers=headers
    )


def wants_page(path: str, accept: str) -> bool:
    """Whether a person is looking: a path outside the API, asked for as HTML."""
    return not path.startswith(API_PREFIXES) and "text/html" in accept


def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Litestar's handler for every exception of every route."""
    request_id = request.scope.get("state", {}).get("request_id")
    problem = problem_of(error, request_id, _names(request))
    if problem.status == INTERNAL:
        _logger.error("request failed", action="request_failed", path=request.scope["path"], exc_info=error)
    headers = {**problem.headers, "Cache-Control": "no-store"}
    if wants_page(request.scope["path"], request.headers.get("accept", "")):
        return Response(_page(request, problem), status_code=problem.status, headers=headers, media_type="text/html")
    return Response(problem.body(), status_code=problem.status, headers=headers, media_type=PROBLEM_TYPE)


def _names(request: Request[Any, Any, Any]) -> dict[str, str]:
    """What clients call the parameters of the route that have another name in Python."""
    signature = getattr(request.scope.get("route_handler"), "parsed_fn_signature", None)
    known = signature.parameters.items() if signature else ()
    return {name: said for name, field in known if (said := getattr(field.kwarg_definition, "name", None))}


def _page(request: Request[Any, Any, Any], problem: Problem) -> str:
    """The error as a page: by the site's template, or plain where that cannot be had."""
    render = request.app.state.get("render_error")
    if render is not None:
        try:
            return str(render(request, problem))
        except Exception:
            _logger.exception("the error page could not be made", action="error_page_failed")
    return plain_page(problem)


def plain_page(problem: Problem) -> str:
    """A page that needs no template."""
    lines = [problem.detail, problem.hint or "", f"Request {problem.request_id}" if problem.request_id else ""]
    text = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{problem.status}</title><h1>{escape(problem.title)}</h1>{text}</html>"
    )
