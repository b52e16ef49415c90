"""What can go wrong with accounts. HTTP statuses are chosen at the door."""

from __future__ import annotations

import math

from streamhost.model.errors import Conflict, Forbidden, StreamhostError, Unauthenticated


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
