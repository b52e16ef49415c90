"""The API's page: every call with what it does, made from the same description that programs read."""

from collections.abc import Iterator
from html import escape
from typing import Any

from litestar import Request, get

from streamhost.server.auth import public

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


@get("/api/docs", guards=[public], include_in_schema=False, media_type="text/html")
async def api_page(request: Request[Any, Any, Any]) -> str:
    """A plain page: no script, nothing from other sites."""
    schema = request.app.openapi_schema.to_schema()
    parts = "".join(_operation(path, method, operation) for path, method, operation in _operations(schema))
    info = schema["info"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title></head><body><main>"
        f"<h1>{escape(info['title'])}</h1><p>Version {escape(info['version'])}. {escape(info['description'])}</p>"
        '<p>For programs: <a href="/api/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>'
        f"{parts}</main></body></html>"
    )


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in sorted(schema["paths"].items()):
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    name = f"{method.upper()} {path}"
    words = operation.get("description") or operation.get("summary") or ""
    parameters = "".join(
        f"<li><code>{escape(p['name'])}</code> ({escape(p['in'])}) {escape(p.get('description') or '')}</li>"
        for p in operation.get("parameters", ())
    )
    answers = "".join(
        f"<li>{escape(str(status))}: {escape(answer.get('description') or '')}</li>"
        for status, answer in operation.get("responses", {}).items()
    )
    return (
        f"<section><h2><code>{escape(name)}</code></h2><p>{escape(words)}</p>"
        f"{f'<h3>Parameters</h3><ul>{parameters}</ul>' if parameters else ''}"
        f"<h3>Answers</h3><ul>{answers}</ul></section>"
    )


routes = [api_page]
