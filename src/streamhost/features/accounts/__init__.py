"""Accounts: who may come in, and who is asking."""

from streamhost.features.accounts.api_tokens import NewApiToken
from streamhost.features.accounts.errors import (
    AccountShut,
    BadCredentials,
    EmailTaken,
    EmailUnverified,
    InsufficientScope,
    InvalidLink,
    InvalidToken,
    InvitationInvalid,
    LastAdmin,
    LinkExpired,
    LinkUsed,
    OtpInvalid,
    OtpRequired,
    RefreshInProgress,
    RegistrationClosed,
    SecondFactorIsOff,
    SecondFactorIsOn,
    SetupClosed,
    TokenReused,
    TooManyAttempts,
    WrongCode,
    WrongPassword,
)
from streamhost.features.accounts.invitations import DEFAULT_DAYS, NewInvitation
from streamhost.features.accounts.needs import Ended, Gate, Leaves, SendsMail, nobody_listens, open_gate
from streamhost.features.accounts.people import UserPage
from streamhost.features.accounts.room import Accounts, Around, SignIn
from streamhost.features.accounts.second_factor import NewSecret, SecondFactorState
from streamhost.features.accounts.tokens import AccountKeys

__all__ = [
    "DEFAULT_DAYS",
    "AccountKeys",
    "AccountShut",
    "Accounts",
    "Around",
    "BadCredentials",
    "EmailTaken",
    "EmailUnverified",
    "Ended",
    "Gate",
    "InsufficientScope",
    "InvalidLink",
    "InvalidToken",
    "InvitationInvalid",
    "LastAdmin",
    "Leaves",
    "LinkExpired",
    "LinkUsed",
    "NewApiToken",
    "NewInvitation",
    "NewSecret",
    "OtpInvalid",
    "OtpRequired",
    "RefreshInProgress",
    "RegistrationClosed",
    "SecondFactorIsOff",
    "SecondFactorIsOn",
    "SecondFactorState",
    "SendsMail",
    "SetupClosed",
    "SignIn",
    "TokenReused",
    "TooManyAttempts",
    "UserPage",
    "WrongCode",
    "WrongPassword",
    "nobody_listens",
    "open_gate",
]
