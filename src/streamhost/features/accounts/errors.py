"""What can go wrong with accounts. HTTP statuses are chosen at the door."""

from __future__ import annotations

import math

from streamhost.model.errors import Conflict, Forbidden, InvalidInput, StreamhostError, Unauthenticated


class RegistrationClosed(Forbidden):
    """This site does not take new registrations."""

    code = "registration_closed"
    hint = "Ask an administrator of this site for an account."


class SetupClosed(Forbidden):
    """This set-up link does not work (any more)."""

    code = "setup_closed"
    hint = "It works once, while there is no administrator; the server prints the present one when it starts."


class BadCredentials(Unauthenticated):
    """E-mail address and password do not fit together."""

    code = "bad_credentials"
    hint = "Check the spelling of both."


class InvalidToken(Unauthenticated):
    """This token is not valid, has expired, or its session has ended."""

    code = "invalid_token"
    hint = "Refresh the access token, or sign in again."


class TokenReused(Unauthenticated):
    """This refresh token has been used before, so its session was ended."""

    code = "token_reused"
    hint = "Sign in again. If you did not use the token twice, somebody else may have had it."


class RefreshInProgress(Unauthenticated):
    """This refresh token is being exchanged by another request at this moment."""

    code = "refresh_in_progress"
    hint = "Use the tokens that the other request receives."


class TooManyAttempts(StreamhostError):
    """Too many attempts in a short time."""

    code = "too_many_attempts"

    def __init__(self, detail: str = "", *, retry_after: float = 1.0) -> None:
        super().__init__(detail, hint=f"Try again in {math.ceil(retry_after)} seconds.")
        self.retry_after = retry_after
        """Seconds until the next attempt has a chance; the door says so in `Retry-After`."""


class EmailTaken(Conflict):
    """There is an account with this e-mail address already."""

    code = "email_taken"
    permanent = True


class LastAdmin(Conflict):
    """The last administrator cannot be removed."""

    code = "last_admin"
    hint = "Make somebody else an administrator first."
    permanent = True


class EmailUnverified(Forbidden):
    """The e-mail address of this account has not been verified yet."""

    code = "email_unverified"
    hint = "Follow the link in the mail that was sent to it, or ask for another one."


class OtpRequired(Unauthenticated):
    """This account needs a code from its second factor too."""

    code = "otp_required"
    hint = "Send it as `otp`: the six digits of the app, or a recovery code."

    def __init__(self, ticket: str = "") -> None:
        """`ticket` proves for a few minutes that the password was right; it is for our own page, not for the answer."""
        super().__init__()
        self.ticket = ticket


class OtpInvalid(Unauthenticated):
    """This code does not fit, or has been used before."""

    code = "otp_invalid"
    hint = "Wait for the next code of the app, and look whether its clock is right; or use a recovery code."


class WrongPassword(InvalidInput):
    """This is not the password of your account."""

    code = "wrong_password"
    hint = "Type the password that you sign in with."


class WrongCode(InvalidInput):
    """This is not the code that the second factor shows now."""

    code = "wrong_code"
    hint = "Wait for the next code of the app, and look whether its clock is right."


class AccountShut(Conflict):
    """This account is disabled."""

    code = "account_shut"
    hint = "Enable it first: nobody can sign in to it, whatever the password."


class InvalidLink(StreamhostError):
    """This link is not one of ours, or not complete."""

    code = "invalid_link"
    hint = "Copy the whole link from the mail."
    permanent = True


class LinkExpired(StreamhostError):
    """This link has expired."""

    code = "link_expired"
    hint = "Ask for a new one."
    permanent = True


class LinkUsed(StreamhostError):
    """This link has been used, or something has changed since it was sent."""

    code = "link_used"
    hint = "Sign in to see whether all is as you wanted it; else ask for a new link."
    permanent = True


class InvitationInvalid(Forbidden):
    """This invitation does not work (any more), or is for another address."""

    code = "invitation_invalid"
    hint = "Ask whoever invited you for another one."


class InsufficientScope(Forbidden):
    """This API token may not be used for that."""

    code = "insufficient_scope"
    hint = "Make a token with the scope that is named, or sign in."


class SecondFactorIsOn(Conflict):
    """The second factor is in force already."""

    code = "second_factor_is_on"
    hint = "Switch it off first."


class SecondFactorIsOff(Conflict):
    """There is no second factor to do this with."""

    code = "second_factor_is_off"
    hint = "Nothing asks this account for codes; whoever has it can begin to set one up."
