"""Mail by SMTP submission (RFC 6409): one connection a message, encrypted unless the settings say otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.charset import QP, Charset
from email.errors import MessageError
from email.header import Header
from email.utils import formataddr, formatdate
from typing import TYPE_CHECKING, Literal

from streamhost.late import late
from streamhost.model.mail import Message
from streamhost.ports import MailRefused, MailUnavailable

if TYPE_CHECKING:
    from email import headerregistry
    from email.mime import multipart, nonmultipart

    import aiosmtplib
else:
    aiosmtplib, headerregistry = late("aiosmtplib"), late("email.headerregistry")
    multipart, nonmultipart = late("email.mime.multipart"), late("email.mime.nonmultipart")

PORTS = {"starttls": 587, "tls": 465, "none": 25}
"""RFC 6409 (submission), RFC 8314 (implicit TLS), RFC 5321 (relay)."""
STEPS = 6
"""Steps of a delivery: connect, encrypt, sign in, sender and recipient, data, goodbye. All have one time-out each, and
together this many: a server that answers a byte at a time must not hold a place in the queue for ever."""
REPLY_LENGTH = 300
"""How much of what a mail server says is kept."""
CHECK_NAME = "Check mail.username and mail.password."
CHECK_SENDER = "Check mail.sender: most mail servers take mail only from addresses of their own."
SIGN_IN_FIRST = 530
"""What a server says that takes mail only from those who have signed in (RFC 4954, 6)."""
PERMANENT = 500
"""From here on, a reply means that trying again will not help (RFC 5321, 4.2.1)."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over, and how. `port` 0 is the usual one; `timeout` is in seconds a step."""

    host: str
    port: int = 0
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 20.0
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class From:
    """Who mail comes from: an address, and the name that is shown with it."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        """The part after the @: what this client calls itself, and where message ids belong."""
        return self.address.rpartition("@")[2]


class SmtpMailSender:
    """Hands messages to an SMTP server. Never falls back to an unencrypted connection, nor sends a password over one.

    Raises `OSError` or `ssl.SSLError` when made with a `ca_file` that cannot be read."""

    def __init__(self, server: SmtpServer, sender: From, named: Callable[[], str] | None = None) -> None:
        """`named` tells the name that is shown with the sender, where it may change."""
        self._server = server
        self._from = sender
        self._named = named or (lambda: sender.name)
        self._tls = _tls_context(server.ca_file) if server.security != "none" else None

    async def send(self, message: Message) -> None:
        """Hand over one message."""
        recipient = _address(message.recipient)
        mail = self._composed(message, recipient)
        try:
            async with asyncio.timeout(STEPS * self._server.timeout):
                await self._deliver(mail, recipient)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refusal(error.recipients[0]) from error
        except aiosmtplib.SMTPDataError as error:
            raise _refusal(error) from error
        except aiosmtplib.SMTPNotSupported as error:
            if not recipient.isascii():
                raise MailRefused("The mail server takes no addresses with such letters before the @.") from error
            raise self._unavailable(error) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise self._unavailable(error) from error

    async def check(self) -> None:
        """Connect, encrypt, sign in and name the sender as a delivery would, and send nothing.

        Raises `MailUnavailable`."""
        try:
            async with asyncio.timeout(STEPS * self._server.timeout):
                client = self._client()
                try:
                    await client.connect()
                    await client.mail(self._from.address)
                finally:
                    client.close()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise self._unavailable(error) from error

    async def _deliver(self, mail: multipart.MIMEMultipart, recipient: str) -> None:
        client = self._client()
        try:
            await client.connect()
            await client.send_message(mail, sender=self._from.address, recipients=[recipient])
            # The message is theirs now; a goodbye that fails changes nothing.
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        """A connection to be. Raises `MailUnavailable` where the password would be seen on its way."""
        server = self._server
        if server.username and server.security == "none" and not _is_here(server.host):
            hint = "Set mail.security to starttls or tls."
            raise MailUnavailable("The password would travel in the clear.", hint=hint)
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port or PORTS[server.security],
            username=server.username or None,
            password=server.password if server.username else None,
            local_hostname=self._from.domain,
            timeout=server.timeout,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._tls,
        )

    def _composed(self, message: Message, recipient: str) -> multipart.MIMEMultipart:
        mail = multipart.MIMEMultipart("alternative")
        mail["From"] = formataddr((" ".join(self._named().split()), self._from.address), "utf-8")
        mail["To"] = recipient
        # `Header` folds words of other scripts rightly; the newer `EmailMessage` loses spaces where it folds them.
        mail["Subject"] = Header(" ".join(message.subject.split()), "utf-8", header_name="Subject").encode()
        mail["Date"] = formatdate()
        mail["Message-ID"] = f"<{message.id}@{self._from.domain}>"
        # Out-of-office replies to machines help nobody (RFC 3834, 5).
        mail["Auto-Submitted"] = "auto-generated"
        if message.unsubscribe:
            mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        readable = Charset("utf-8")
        readable.body_encoding = QP  # keeps lines short, however long a link is (RFC 5321, 4.5.3.1.6)
        for kind, text in (("plain", message.text), ("html", message.html)):
            part = nonmultipart.MIMENonMultipart("text", kind)
            part.set_payload(text, readable)
            mail.attach(part)
        return mail

    def _unavailable(self, error: Exception) -> MailUnavailable:
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return MailUnavailable(f"It does not let us sign in: {_reply(error)}", hint=CHECK_NAME)
        if isinstance(error, aiosmtplib.SMTPSenderRefused):
            hint = CHECK_NAME if error.code == SIGN_IN_FIRST else CHECK_SENDER
            return MailUnavailable(f"It refuses {self._from.address} as sender: {_reply(error)}", hint=hint)
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return MailUnavailable(f"The mail server said {_reply(error)}")
        if isinstance(error, TimeoutError):
            return MailUnavailable(f"{self._where} does not answer in time.")
        if isinstance(error, ssl.SSLCertVerificationError) or isinstance(error.__cause__, ssl.SSLCertVerificationError):
            hint = "Set mail.host to the name in its certificate; trust an authority of your own by mail.ca_file."
            return MailUnavailable(f"{self._where} cannot prove who it is: {_line(error)}", hint=hint)
        if self._server.security == "starttls" and "STARTTLS" in str(error):
            hint = "Set mail.security to what it offers: starttls on port 587, tls on port 465."
            return MailUnavailable(f"{self._where}: {_line(error)}", hint=hint)
        return MailUnavailable(f"{self._where}: {_line(error)}")

    @property
    def _where(self) -> str:
        return f"{self._server.host} port {self._server.port or PORTS[self._server.security]}"


def _address(recipient: str) -> str:
    """One address, its domain in the letters that the DNS knows. Raises `MailRefused` if it is no address, or many."""
    try:
        user, _, domain = recipient.rpartition("@")
        # The parser knows ASCII only; letters of other scripts are as good as any (RFC 6532, 3.2).
        plain = "".join(char if char.isascii() or not char.isprintable() else "x" for char in user)
        headerregistry.Address(addr_spec=f"{plain}@{domain.encode('idna').decode()}")
        return f"{user}@{domain.encode('idna').decode()}"
    except (ValueError, IndexError, MessageError) as error:
        raise MailRefused("This is no address that mail can be sent to.") from error


def _tls_context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def _is_here(host: str) -> bool:
    """Whether what is sent to `host` stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refusal(error: aiosmtplib.SMTPResponseException) -> MailRefused | MailUnavailable:
    """For good or for now, as the reply's first digit says."""
    kind = MailRefused if error.code >= PERMANENT else MailUnavailable
    return kind(f"The mail server said {_reply(error)}")


def _reply(error: aiosmtplib.SMTPResponseException) -> str:
    return f"{error.code} {_line(error.message)}"


def _line(said: object) -> str:
    """What was said, on one line and not too long, ending like a sentence."""
    text = " ".join(str(said).split())[:REPLY_LENGTH] or "nothing"
    return text if text.endswith((".", "!", "?")) else f"{text}."
