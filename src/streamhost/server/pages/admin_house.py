"""The administration: invitations, mail that was not delivered, and the audit log."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from streamhost.features.accounts import Accounts, NewInvitation
from streamhost.features.audit import Audit
from streamhost.features.mail import Mail
from streamhost.model.accounts import Role
from streamhost.model.audit import Act
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.model.ids import InvitationId, MailId, UserId
from streamhost.model.mail import MailState
from streamhost.server.auth import actor_of, user_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.browse import following
from streamhost.server.pages.forms import failing, kept, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.people_shapes import entry_view, invitation_view, letter_view, words

AnyRequest = Request[Any, Any, Any]
INVITATIONS = "/admin/invitations"
MAIL = "/admin/mail"
AUDIT = "/admin/audit"
NUMBER_DIGITS = 6
"""No number in a form is longer."""
INVITATION_DONE = {"revoked": "The invitation is taken back. Whoever came by it stays."}
MAIL_DONE = {
    "retry": "It is tried again now.",
    "retry-all": "All of them are tried again now.",
    "discard": "It is thrown away.",
    "test": "A test mail was handed over. Look whether it arrives.",
}


@get(INVITATIONS, guards=GUARDS, include_in_schema=False)
async def show_invitations(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """The invitations there are, and the form for another one."""
    return await _invitations_page(request, accounts, mail, frame, flash=INVITATION_DONE.get(done))


@post(INVITATIONS, guards=GUARDS, include_in_schema=False)
async def invite(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """Make an invitation and show its link, once."""
    form = await typed(request)
    try:
        if form["role"] not in set(Role):
            raise InvalidInput(fields={"role": "Choose one of these."})
        made = await accounts.invitations.create(
            actor_of(request),
            role=Role(form["role"]),
            email=form["email"].strip(),
            note=form["note"].strip(),
            uses=_number(form, "uses"),
            days=_number(form, "days"),
        )
    except StreamhostError as error:
        return await _invitations_page(request, accounts, mail, frame, error, form)
    return await _invitations_page(request, accounts, mail, frame, made=made)


def _number(form: Texts, name: str) -> int:
    text = form[name].strip()
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS):
        raise InvalidInput(fields={name: "A whole number."})
    return int(text)


async def _invitations_page(
    request: AnyRequest,
    accounts: Accounts,
    mail: Mail,
    frame: Frame,
    error: StreamhostError | None = None,
    form: Texts | None = None,
    made: NewInvitation | None = None,
    flash: str | None = None,
) -> Response[str]:
    every = await accounts.invitations.all()
    return await admin_page(
        request,
        frame,
        mail,
        "admin_invitations.html",
        **failing(error),
        invitations=[invitation_view(one, is_open=accounts.invitations.is_open(one), now=frame.now()) for one in every],
        registration=accounts.registration.mode,
        made=made.link if made else "",
        sent_to=made.invitation.email if made else None,
        form=kept(form or Texts(role=Role.VIEWER.value, uses="1", days="7")),
        flash=flash,
    )


@post(f"{INVITATIONS}/{{invitation_id:str}}/revoke", guards=GUARDS, include_in_schema=False)
async def revoke_invitation(
    request: AnyRequest, invitation_id: FromPath[str], accounts: NamedDependency[Accounts]
) -> Response[Any]:
    """Take an invitation back."""
    await accounts.invitations.revoke(InvitationId(invitation_id), actor_of(request))
    return see(f"{INVITATIONS}?done=revoked")


@get(MAIL, guards=GUARDS, include_in_schema=False)
async def show_mail(
    request: AnyRequest, mail: NamedDependency[Mail], frame: NamedDependency[Frame], done: FromQuery[str] = ""
) -> Response[str]:
    """Whether mail leaves, what waits, and what could not be delivered."""
    return await _mail_page(request, mail, frame, flash=MAIL_DONE.get(done))


async def _mail_page(
    request: AnyRequest,
    mail: Mail,
    frame: Frame,
    error: StreamhostError | None = None,
    flash: str | None = None,
) -> Response[str]:
    return await admin_page(
        request,
        frame,
        mail,
        "admin_mail.html",
        **failing(error),
        dead=[letter_view(letter) for letter in await mail.letters(MailState.DEAD)],
        waiting=[letter_view(letter) for letter in await mail.letters(MailState.QUEUED)],
        flash=flash,
    )


@post(f"{MAIL}/retry", guards=GUARDS, include_in_schema=False)
async def retry_all(request: AnyRequest, mail: NamedDependency[Mail]) -> Response[Any]:
    """Try every dead letter again."""
    await mail.retry_all(actor_of(request))
    return see(f"{MAIL}?done=retry-all")


@post(f"{MAIL}/test", guards=GUARDS, opt=limited(RouteClass.MAIL), include_in_schema=False)
async def send_test(request: AnyRequest, mail: NamedDependency[Mail], frame: NamedDependency[Frame]) -> Response[Any]:
    """Send a mail to oneself, now, and say how it went."""
    try:
        await mail.test(user_of(request).email)
    except StreamhostError as error:
        return await _mail_page(request, mail, frame, error)
    return see(f"{MAIL}?done=test")


@post(f"{MAIL}/{{mail_id:str}}/retry", guards=GUARDS, include_in_schema=False)
async def retry(request: AnyRequest, mail_id: FromPath[str], mail: NamedDependency[Mail]) -> Response[Any]:
    """Try a dead letter again."""
    await mail.retry(MailId(mail_id), actor_of(request))
    return see(f"{MAIL}?done=retry")


@post(f"{MAIL}/{{mail_id:str}}/discard", guards=GUARDS, include_in_schema=False)
async def discard(request: AnyRequest, mail_id: FromPath[str], mail: NamedDependency[Mail]) -> Response[Any]:
    """Throw a dead letter away."""
    await mail.discard(MailId(mail_id), actor_of(request))
    return see(f"{MAIL}?done=discard")


@get(AUDIT, guards=GUARDS, include_in_schema=False)
async def show_audit(
    request: AnyRequest,
    audit: NamedDependency[Audit],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    act: FromQuery[str] = "",
    user: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """What was done that matters for safety, newest first."""
    page = await audit.entries(cursor, act=act or None, user_id=UserId(user) if user else None)
    return await admin_page(
        request,
        frame,
        mail,
        "admin_audit.html",
        entries=[entry_view(entry) for entry in page.items],
        acts=[("", "Everything"), *((one.value, words(one.value)) for one in Act)],
        act=act,
        user=user,
        next_url=following(AUDIT, page.next_cursor, act=act, user=user),
    )


routes = [
    show_invitations,
    invite,
    revoke_invitation,
    show_mail,
    retry_all,
    send_test,
    retry,
    discard,
    show_audit,
]
