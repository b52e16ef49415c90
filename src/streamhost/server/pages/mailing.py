"""Forms with an address by which people ask for a mail; the page never tells whether one was sent."""

from typing import Any, Protocol

from litestar import Request, Response

from streamhost.model.errors import StreamhostError
from streamhost.server.auth import address_of
from streamhost.server.pages.forms import failing, typed
from streamhost.server.pages.frame import Frame, Texts

AnyRequest = Request[Any, Any, Any]


class Asks(Protocol):
    """What a room does when somebody at `address` asks for a mail to `email`."""

    async def __call__(self, email: str, *, address: str) -> None:
        """Send it, or refuse by raising."""
        ...


def mail_form(request: AnyRequest, frame: Frame, template: str) -> Response[str]:
    """The form, not filled in yet."""
    return frame.page(request, template, **failing(None), stage="form", form=Texts())


async def asked_for_mail(request: AnyRequest, frame: Frame, template: str, ask: Asks) -> Response[str]:
    """What was typed goes to `ask`; the page says to look into the mailbox, or what was wrong with the request."""
    form = await typed(request)
    try:
        await ask(form["email"], address=address_of(request))
    except StreamhostError as error:
        return frame.page(request, template, **failing(error), stage="form", form=form)
    return frame.page(request, template, **failing(None), stage="sent", form=form)
