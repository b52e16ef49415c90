"""Forms of the pages: what was typed, what is wrong with it, and where to go afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.response import Redirect
from litestar.status_codes import HTTP_200_OK, HTTP_303_SEE_OTHER

from streamhost.config import Settings
from streamhost.model.errors import StreamhostError
from streamhost.server.errors import status_of
from streamhost.server.pages.frame import Texts

SECRETS = frozenset({"password", "new_password", "otp"})


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a form as a whole, and what to do about it."""

    text: str
    hint: str
    retry_after: float | None = None
    """Seconds until another attempt has a chance, if it has to wait."""


async def typed(request: Request[Any, Any, Any]) -> Texts:
    """The text fields of a posted form; a field that was not sent is empty."""
    form = await request.form()
    return Texts({name: value for name, value in form.items() if isinstance(value, str)})


def complaint(error: StreamhostError) -> Complaint | None:
    """What to say above the form; nothing if the fields themselves say it all."""
    if error.fields:
        return None
    wait = getattr(error, "retry_after", None)
    return Complaint(f"{error.title()} {error.detail}".strip(), error.hint or "", wait)


def failing(
    error: StreamhostError | None, *, otherwise: int = HTTP_200_OK, named: Callable[[str], str] = str
) -> dict[str, Any]:
    """What a page that holds a form says after a mistake: the status of the answer, what stands above the form, and
    what stands beside its fields. Nothing is wrong without an error.

    `otherwise`: the status then. `named`: what the form calls a field of the error."""
    if error is None:
        return {"status_code": otherwise, "error": None, "errors": Texts()}
    beside = Texts({named(field): words for field, words in error.fields.items()})
    return {"status_code": status_of(error), "error": complaint(error), "errors": beside}


def kept(form: Texts) -> Texts:
    """What a form shows again after a mistake: everything but passwords and codes."""
    return Texts({name: value for name, value in form.items() if name not in SECRETS})


def password_rules(settings: Settings) -> dict[str, Any]:
    """What a page with a field for a new password says about it."""
    least = settings.accounts.password_min_length
    return {"password_min": least, "password_hint": f"At least {least} characters."}


def see(path: str) -> Redirect:
    """Go on to another page after a form was taken (RFC 9110, 15.4.4)."""
    return Redirect(path, status_code=HTTP_303_SEE_OTHER)


def safe_next(path: str, otherwise: str = "/") -> str:
    """`path` if it stays on this site, else `otherwise`: nobody can send a signed-in person elsewhere by a link.

    Browsers take `//host` and `/\\host` for another site, and drop tabs and line breaks before they look."""
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if own else otherwise
