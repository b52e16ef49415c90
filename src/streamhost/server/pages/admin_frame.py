"""What the pages of the administration share: their rooms, and what needs a look."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Request, Response

from streamhost.features.mail import Mail, MailStatus
from streamhost.model.accounts import Role
from streamhost.server.auth import at_least
from streamhost.server.pages.frame import Frame

AnyRequest = Request[Any, Any, Any]
GUARDS = [at_least(Role.ADMIN)]
ROLES = [(role.value, role.value.capitalize()) for role in Role]
"""The choice of a role in a form."""


async def admin_page(
    request: AnyRequest, frame: Frame, mail: Mail, template: str, status_code: int = HTTPStatus.OK, **values: Any
) -> Response[str]:
    """A page of the administration. `mail_status` tells it about mail that goes nowhere."""
    standing: MailStatus = await mail.status()
    values = {"flash": None, "error": None} | values
    return frame.page(request, template, status_code, mail_status=standing, roles=ROLES, **values)
