"""Accounts: who may come in, and who is asking."""

from streamhost.features.accounts.errors import (
    BadCredentials,
    EmailTaken,
    InvalidToken,
    LastAdmin,
    RefreshInProgress,
    RegistrationClosed,
    SetupClosed,
    TokenReused,
    TooManyAttempts,
)
from streamhost.features.accounts.room import Accounts, SignIn
from streamhost.features.accounts.tokens import AccountKeys

__all__ = [
    "AccountKeys",
    "Accounts",
    "BadCredentials",
    "EmailTaken",
    "InvalidToken",
    "LastAdmin",
    "RefreshInProgress",
    "RegistrationClosed",
    "SetupClosed",
    "SignIn",
    "TokenReused",
    "TooManyAttempts",
]
