"""Administration over HTTP: users, their sessions, invitations, the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED, HTTP_202_ACCEPTED

from streamhost.features.accounts import Accounts
from streamhost.features.audit import Audit
from streamhost.model.accounts import Invitation, Role, User
from streamhost.model.audit import AuditEntry
from streamhost.model.clock import iso
from streamhost.model.ids import InvitationId, SessionId, UserId
from streamhost.server.accounts import BROKEN_BODY, HASHED, SessionList, session_document
from streamhost.server.administration import changing, looking
from streamhost.server.auth import actor_of
from streamhost.server.documented import PAGED

AnyRequest = Request[Any, Any, Any]
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="Entries on a page.")]


@dataclass(frozen=True, slots=True)
class UserDocument:
    """Somebody's account, as administrators see it."""

    id: str
    email: str
    name: str
    role: str
    email_verified: bool
    disabled: bool
    created_at: str | None


@dataclass(frozen=True, slots=True)
class UserList:
    """One page of users, oldest account first."""

    items: Sequence[UserDocument]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account to be. Unless it is `verified`, a mail asks for that."""

    email: str
    password: str
    name: str
    role: Role = Role.VIEWER
    verified: bool = False


@dataclass(frozen=True, slots=True)
class UserChange:
    """What is to be changed; what is left out stays. `email_verified` can only become true."""

    role: Role | None = None
    disabled: bool | None = None
    email_verified: bool | None = None


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """An invitation to be. With `email` it is sent there and works for that address alone, once."""

    role: Role = Role.VIEWER
    email: str = ""
    note: str = ""
    uses: int = 1
    days: float = 7.0


@dataclass(frozen=True, slots=True)
class InvitationDocument:
    """An invitation. `open`: somebody may still come in by it."""

    id: str
    role: str
    email: str | None
    note: str
    uses: int
    most_uses: int
    open: bool
    created_at: str | None
    expires_at: str | None
    revoked_at: str | None


@dataclass(frozen=True, slots=True)
class NewInvitationDocument:
    """An invitation and its link, which is shown only now."""

    link: str
    invitation: InvitationDocument


@dataclass(frozen=True, slots=True)
class InvitationList:
    """Invitations, newest first."""

    items: Sequence[InvitationDocument]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """Who did something or had it done: by id, and in the words of that day."""

    id: str | None
    words: str


@dataclass(frozen=True, slots=True)
class AuditDocument:
    """One line of the audit log."""

    number: int
    at: str | None
    act: str
    actor: Party
    subject: Party
    address: str
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AuditList:
    """One page of the audit log, newest first."""

    items: Sequence[AuditDocument]
    next_cursor: str | None


def _user(user: User) -> UserDocument:
    return UserDocument(
        id=user.id,
        email=user.email,
        name=user.name,
        role=user.role.value,
        email_verified=user.email_verified_at is not None,
        disabled=not user.active,
        created_at=iso(user.created_at),
    )


def _invitation(invitation: Invitation, accounts: Accounts) -> InvitationDocument:
    return InvitationDocument(
        id=invitation.id,
        role=invitation.role.value,
        email=invitation.email,
        note=invitation.note,
        uses=invitation.uses,
        most_uses=invitation.most_uses,
        open=accounts.invitations.is_open(invitation),
        created_at=iso(invitation.created_at),
        expires_at=iso(invitation.expires_at),
        revoked_at=iso(invitation.revoked_at),
    )


def _entry(entry: AuditEntry) -> AuditDocument:
    return AuditDocument(
        number=entry.number,
        at=iso(entry.at),
        act=entry.act.value,
        actor=Party(entry.actor.id, entry.actor.words),
        subject=Party(entry.subject_id, entry.subject),
        address=entry.actor.address,
        details=entry.details,
    )


_looking = partial(looking, invalid_input=422)
_changing = partial(changing, **BROKEN_BODY)


@get("/api/v1/admin/users", summary="List users", **looking(**PAGED))
async def list_users(
    accounts: NamedDependency[Accounts], q: FromQuery[str] = "", cursor: FromQuery[str | None] = None, limit: Limit = 50
) -> UserList:
    """Everybody, or those whose address or name holds `q`."""
    page = await accounts.people.found(q, cursor, limit)
    return UserList([_user(user) for user in page.items], page.next_cursor)


@post("/api/v1/admin/users", status_code=HTTP_201_CREATED, summary="Add a user", **_changing(**HASHED, email_taken=409))
async def add_user(request: AnyRequest, data: JSONBody[NewUser], accounts: NamedDependency[Accounts]) -> UserDocument:
    """Make an account for somebody."""
    user = await accounts.people.add(
        data.email, data.password, data.name, data.role, verified=data.verified, by=actor_of(request)
    )
    return _user(user)


@get("/api/v1/admin/users/{user_id:str}", summary="One user", **_looking(not_found=404))
async def show_user(user_id: FromPath[str], accounts: NamedDependency[Accounts]) -> UserDocument:
    """One account."""
    return _user(await accounts.people.get(UserId(user_id)))


@patch("/api/v1/admin/users/{user_id:str}", summary="Change a user", **_changing(not_found=404, last_admin=409))
async def change_user(
    request: AnyRequest, user_id: FromPath[str], data: JSONBody[UserChange], accounts: NamedDependency[Accounts]
) -> UserDocument:
    """Change the role, shut an account or open it again, take its address as verified: all that is asked for, or
    nothing."""
    user = await accounts.people.change(
        UserId(user_id),
        actor_of(request),
        role=data.role,
        verified=bool(data.email_verified),
        disabled=data.disabled,
    )
    return _user(user)


@delete("/api/v1/admin/users/{user_id:str}", summary="Delete a user", **_changing(not_found=404, last_admin=409))
async def delete_user(request: AnyRequest, user_id: FromPath[str], accounts: NamedDependency[Accounts]) -> None:
    """Delete an account with everything that is its own."""
    await accounts.people.delete(UserId(user_id), actor_of(request))


@post(
    "/api/v1/admin/users/{user_id:str}/reset-password",
    status_code=HTTP_202_ACCEPTED,
    summary="Send a link for a new password",
    **_changing(not_found=404, account_shut=409),
)
async def send_reset(request: AnyRequest, user_id: FromPath[str], accounts: NamedDependency[Accounts]) -> None:
    """Send a user the link by which they set a new password."""
    await accounts.people.send_reset(UserId(user_id), actor_of(request))


@delete(
    "/api/v1/admin/users/{user_id:str}/second-factor",
    summary="Take a second factor away",
    **_changing(not_found=404, second_factor_is_off=409),
)
async def remove_second_factor(
    request: AnyRequest, user_id: FromPath[str], accounts: NamedDependency[Accounts]
) -> None:
    """For somebody who has lost both the app and the recovery codes, and has proven who they are to you."""
    await accounts.second_factor.remove_for(UserId(user_id), actor_of(request))


@get("/api/v1/admin/users/{user_id:str}/sessions", summary="A user's sessions", **_looking(not_found=404))
async def list_user_sessions(user_id: FromPath[str], accounts: NamedDependency[Accounts]) -> SessionList:
    """Where a user is signed in."""
    return SessionList([session_document(s, None) for s in await accounts.people.sessions(UserId(user_id))])


@delete("/api/v1/admin/users/{user_id:str}/sessions", summary="Sign a user out", **_changing(not_found=404))
async def end_user_sessions(request: AnyRequest, user_id: FromPath[str], accounts: NamedDependency[Accounts]) -> None:
    """End every session of a user. API tokens stay."""
    await accounts.people.end_sessions(UserId(user_id), actor_of(request))


@delete(
    "/api/v1/admin/users/{user_id:str}/sessions/{session_id:str}",
    summary="End a user's session",
    **_changing(not_found=404),
)
async def end_user_session(
    request: AnyRequest, user_id: FromPath[str], session_id: FromPath[str], accounts: NamedDependency[Accounts]
) -> None:
    """Sign out one device of a user."""
    await accounts.revoke(UserId(user_id), SessionId(session_id), by=actor_of(request))


@get("/api/v1/admin/invitations", summary="List invitations", **_looking())
async def list_invitations(accounts: NamedDependency[Accounts]) -> InvitationList:
    """The invitations that were made, those that are over included."""
    return InvitationList([_invitation(item, accounts) for item in await accounts.invitations.all()])


@post(
    "/api/v1/admin/invitations",
    status_code=HTTP_201_CREATED,
    summary="Invite somebody",
    **_changing(registration_closed=403),
)
async def create_invitation(
    request: AnyRequest, data: JSONBody[InvitationRequest], accounts: NamedDependency[Accounts]
) -> NewInvitationDocument:
    """Make a link by which somebody may register; with an address it is sent there."""
    made = await accounts.invitations.create(
        actor_of(request), role=data.role, email=data.email, note=data.note, uses=data.uses, days=data.days
    )
    return NewInvitationDocument(made.link, _invitation(made.invitation, accounts))


@delete("/api/v1/admin/invitations/{invitation_id:str}", summary="Take an invitation back", **_changing(not_found=404))
async def revoke_invitation(
    request: AnyRequest, invitation_id: FromPath[str], accounts: NamedDependency[Accounts]
) -> None:
    """Nobody comes in by it any more; who did, stays."""
    await accounts.invitations.revoke(InvitationId(invitation_id), actor_of(request))


@get("/api/v1/admin/audit", summary="The audit log", **looking(**PAGED))
async def list_audit(
    audit: NamedDependency[Audit],
    cursor: FromQuery[str | None] = None,
    act: FromQuery[str | None] = None,
    user: FromQuery[str | None] = None,
    limit: Limit = 50,
) -> AuditList:
    """What was done that matters for safety, newest first; perhaps of one act, or of one user as actor or subject."""
    page = await audit.entries(cursor, limit, act, UserId(user) if user else None)
    return AuditList([_entry(entry) for entry in page.items], page.next_cursor)


routes = [
    list_users,
    add_user,
    show_user,
    change_user,
    delete_user,
    send_reset,
    remove_second_factor,
    list_user_sessions,
    end_user_sessions,
    end_user_session,
    list_invitations,
    create_invitation,
    revoke_invitation,
    list_audit,
]
