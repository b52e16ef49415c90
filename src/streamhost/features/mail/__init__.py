"""Mail: what is written to people, and the outbox that it waits in until it is delivered."""

from streamhost.features.mail.room import Mail, MailStatus
from streamhost.features.mail.writing import Writer

__all__ = ["Mail", "MailStatus", "Writer"]
