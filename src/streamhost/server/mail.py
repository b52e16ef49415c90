"""Mail over HTTP, for administrators: how the outbox stands, what could not be delivered, a test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from streamhost.features.mail import Mail
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import MailId
from streamhost.model.mail import MailState
from streamhost.server.administration import changing, looking
from streamhost.server.auth import actor_of
from streamhost.server.documents.mail import LetterDocument, Trouble, letter_document
from streamhost.server.limits import RouteClass, limited

AnyRequest = Request[Any, Any, Any]
State = Annotated[MailState, QueryParameter(name="state", description="Which letters are listed.")]


@dataclass(frozen=True, slots=True)
class Outbox:
    """How mail stands, and the letters in one state, newest first.

    `configured`: mail is sent; else it is printed where the server runs. `failing`: what was last tried in vain."""

    configured: bool
    waiting: int
    dead: int
    failing: LetterDocument | None
    items: Sequence[LetterDocument]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Retried:
    """How many dead letters are tried again."""

    retried: int


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a test mail is to go."""

    to: str


@dataclass(frozen=True, slots=True)
class Handover:
    """Whether the mail server took the test mail, and if not, why."""

    sent: bool
    error: Trouble | None = None


@get("/api/v1/admin/mail", summary="The outbox", **looking(invalid_input=422))
async def show_outbox(mail: NamedDependency[Mail], which: State = MailState.DEAD) -> Outbox:
    """How mail stands, and the letters that are `dead`, or `queued`, or `sent`."""
    status = await mail.status()
    return Outbox(
        configured=status.configured,
        waiting=status.waiting,
        dead=status.dead,
        failing=letter_document(status.failing) if status.failing else None,
        items=[letter_document(letter) for letter in await mail.letters(which)],
    )


@post("/api/v1/admin/mail/retry", status_code=HTTP_200_OK, summary="Try all dead letters again", **changing())
async def retry_letters(request: AnyRequest, mail: NamedDependency[Mail]) -> Retried:
    """For when what kept them was set right."""
    return Retried(await mail.retry_all(actor_of(request)))


@post(
    "/api/v1/admin/mail/{mail_id:str}/retry",
    status_code=HTTP_204_NO_CONTENT,
    summary="Try a dead letter again",
    **changing(not_found=404),
)
async def retry_letter(request: AnyRequest, mail_id: FromPath[str], mail: NamedDependency[Mail]) -> None:
    """With all its attempts."""
    await mail.retry(MailId(mail_id), actor_of(request))


@delete("/api/v1/admin/mail/{mail_id:str}", summary="Throw a dead letter away", **changing(not_found=404))
async def discard_letter(request: AnyRequest, mail_id: FromPath[str], mail: NamedDependency[Mail]) -> None:
    """It is gone; its recipient is not told."""
    await mail.discard(MailId(mail_id), actor_of(request))


@post(
    "/api/v1/admin/mail/test",
    status_code=HTTP_200_OK,
    summary="Send a test mail",
    opt=limited(RouteClass.MAIL),
    **changing(malformed_request=400, request_too_large=413, invalid_input=422),
)
async def send_test(data: JSONBody[Destination], mail: NamedDependency[Mail]) -> Handover:
    """Hand a test mail to the mail server now; the answer says what it said."""
    try:
        await mail.test(data.to)
    except StreamhostError as error:
        return Handover(sent=False, error=Trouble(error.code, error.words(), error.hint))
    return Handover(sent=True)


routes = [show_outbox, retry_letters, retry_letter, discard_letter, send_test]
