"""Invitations: links by which people may register, made by administrators."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from streamhost.db import invitations as rows
from streamhost.features.accounts import rules
from streamhost.features.accounts.errors import RegistrationClosed
from streamhost.features.accounts.links import INVITATION_PATH, span
from streamhost.features.accounts.means import Means
from streamhost.features.accounts.tokens import digest_of, new_secret_token
from streamhost.model.accounts import Invitation, Role
from streamhost.model.audit import Act, Actor
from streamhost.model.clock import DAY
from streamhost.model.errors import InvalidInput, NotFound
from streamhost.model.ids import InvitationId, new_id

MOST_USES = 1000
MOST_DAYS = 365.0
DEFAULT_DAYS = 7.0
NOTE_LENGTH = 200
LISTED = 500


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation just made, and its link, which is shown once: the catalog keeps only a digest of it."""

    invitation: Invitation
    link: str


class Invitations:
    """Makes, lists and takes back invitations."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def create(
        self,
        by: Actor,
        *,
        role: Role = Role.VIEWER,
        email: str = "",
        note: str = "",
        uses: int = 1,
        days: float = DEFAULT_DAYS,
    ) -> NewInvitation:
        """An invitation for `days`; with an address it is sent there and is for it alone.

        Raises `RegistrationClosed` where nobody may register, `InvalidInput`."""
        if self._means.settings.registration == "closed":
            raise RegistrationClosed(
                "So invitations would not work.", hint="Set accounts.registration to invite or open; or add the user."
            )
        wrong = {}
        if not 1 <= uses <= (1 if email else MOST_USES):
            wrong["uses"] = "An invitation for one address works once." if email else f"From 1 to {MOST_USES}."
        if not 0 < days <= MOST_DAYS:
            wrong["days"] = f"Up to {MOST_DAYS:.0f} days."
        if len(note) > NOTE_LENGTH or not (not note or note.isprintable()):
            wrong["note"] = f"A note has at most {NOTE_LENGTH} characters on one line."
        if wrong:
            raise InvalidInput(fields=wrong)
        to = rules.checked(email=lambda: rules.clean_email(email))["email"] if email else None
        now, token = self._means.clock(), new_secret_token()
        invitation = Invitation(
            id=InvitationId(new_id()),
            role=role,
            created_at=now,
            expires_at=now + days * DAY,
            most_uses=uses,
            email=to,
            note=note,
            created_by=by.id,
        )
        link = f"{self._means.links.home}{INVITATION_PATH}?invitation={quote(token, safe='')}"
        async with self._means.db.write() as conn:
            await rows.insert(conn, invitation, digest_of(token))
            await self._means.note(
                conn, Act.INVITATION_MADE, by, invitation=invitation.id, role=role.value, email=to, uses=str(uses)
            )
            if to is not None:
                values = {"name": "", "link": link, "expires": span(days * DAY)}
                await self._means.mail.enqueue(conn, "invitation", to, values, trusted=True)
        return NewInvitation(invitation, link)

    async def all(self) -> list[Invitation]:
        """The newest invitations, those that are over included, newest first."""
        async with self._means.db.read() as conn:
            return await rows.listed(conn, LISTED)

    def is_open(self, invitation: Invitation) -> bool:
        """Whether somebody may still come in by it now."""
        return self._means.settings.registration != "closed" and invitation.open(self._means.clock())

    async def revoke(self, invitation_id: InvitationId, by: Actor) -> None:
        """Take an invitation back; who came by it stays. Raises `NotFound`."""
        async with self._means.db.write() as conn:
            if not await rows.revoke(conn, invitation_id, self._means.clock()):
                raise NotFound
            await self._means.note(conn, Act.INVITATION_REVOKED, by, invitation=invitation_id)
