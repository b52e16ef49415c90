"""SMTP against real servers: ones that want a password and TLS, that refuse, delay, break off, and talk nonsense."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from streamhost.notify.smtp import From, SmtpMailSender, SmtpServer
from streamhost.ports import MailRefused, MailUnavailable
from streamhost.testing.mail_contract import message
from tests.support.smtp import HOST, Authority, Mailbox, misbehaving, serving, text_of

SENDER = From("video@example.org", "Film club")
USER = ("video", "correct horse")


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def smtp(port: int, security: Any = "none", host: str = HOST, **more: Any) -> SmtpMailSender:
    """A sender to a server on this machine."""
    return SmtpMailSender(SmtpServer(host, port, security, **{"timeout": 60.0, **more}), SENDER)


async def refusal(sender: SmtpMailSender) -> MailRefused | MailUnavailable:
    """What sending ends in, which must be one of the two errors of the port."""
    with pytest.raises((MailRefused, MailUnavailable)) as failure:
        await sender.send(message())
    return failure.value  # type: ignore[return-value]  # pytest joins the two types


async def test_headers(mailbox: Mailbox) -> None:
    """A mail says who sends it, to whom, when, and that a machine wrote it; both forms are in it, text first."""
    async with serving(mailbox) as (port, _):
        await smtp(port).send(message())
    [mail] = mailbox.mails
    assert mail["From"] == "Film club <video@example.org>"
    assert mail["To"] == "alice@example.org"
    assert mail["Message-ID"] == "<letter0@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert abs(mail["Date"].datetime.replace(tzinfo=UTC).timestamp() - time.time()) < 60
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert text_of(mail) == "Open the link.\n"
    assert "<p>Open the link.</p>" in text_of(mail, "html")


@pytest.mark.parametrize("name", ["Zoë's Kino 🎬", 'A "quoted", name', "x" * 60, "a\r\nBcc: eve@example.org"])
async def test_names_of_the_sender(mailbox: Mailbox, name: str) -> None:
    """Whatever the site is called, it arrives as its name, and adds no header or recipient."""
    async with serving(mailbox) as (port, _):
        server = SmtpServer(HOST, port, "none", timeout=150)
        await SmtpMailSender(server, From("video@example.org", name)).send(message())
    [mail] = mailbox.mails
    assert mail["From"].addresses[0].addr_spec == "video@example.org"
    assert mail["From"].addresses[0].display_name == " ".join(name.split())
    assert mail["Bcc"] is None
    assert mailbox.recipients == ["alice@example.org"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_tls_and_password(mailbox: Mailbox, authority: Authority, security: str) -> None:
    """With both kinds of TLS the mail travels encrypted, to a server that proves its name, after signing in."""
    kind = {security: authority.server()}
    async with serving(mailbox, user=USER, **kind) as (port, _):  # type: ignore[arg-type]  # one of two arguments
        sender = smtp(port, security, username=USER[0], password=USER[1], ca_file=str(authority.ca_file))
        await sender.send(message())
    assert (mailbox.encrypted, mailbox.signed_in) == ([True], [True])


async def test_a_wrong_password(mailbox: Mailbox, authority: Authority) -> None:
    """A wrong password is worth trying again, since somebody will set it right; the hint says where."""
    async with serving(mailbox, starttls=authority.server(), user=USER) as (port, _):
        sender = smtp(port, "starttls", username="video", password="wrong", ca_file=str(authority.ca_file))
        error = await refusal(sender)
    assert isinstance(error, MailUnavailable)
    assert "535" in error.detail
    assert "mail.password" in str(error.hint)
    assert "wrong" not in str(error)


async def test_a_server_that_wants_a_password(mailbox: Mailbox) -> None:
    """A server that takes mail only after signing in says so in the error."""
    async with serving(mailbox, user=USER) as (port, _):
        error = await refusal(smtp(port))
    assert isinstance(error, MailUnavailable)
    assert "530" in error.detail


async def test_no_fall_back_to_plain_text(mailbox: Mailbox) -> None:
    """A server that offers no STARTTLS (or somebody in between who takes the offer out) gets nothing."""
    async with serving(mailbox) as (port, _):
        error = await refusal(smtp(port, "starttls", username="video", password="secret"))
    assert isinstance(error, MailUnavailable)
    assert "mail.security" in str(error.hint)
    assert mailbox.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_of_nobody(mailbox: Mailbox, authority: Authority, security: str) -> None:
    """A certificate of an unknown authority, or for another name, is refused before the password is sent."""
    for context, ca_file in ((authority.server(), ""), (authority.server("mail.example.org"), str(authority.ca_file))):
        kind = {security: context}
        async with serving(mailbox, user=USER, **kind) as (port, _):  # type: ignore[arg-type]  # one of two arguments
            error = await refusal(smtp(port, security, username=USER[0], password=USER[1], ca_file=ca_file))
        assert isinstance(error, MailUnavailable)
        assert "mail.ca_file" in str(error.hint), error
    assert (mailbox.mails, mailbox.signed_in) == ([], [])


async def test_no_password_in_the_clear() -> None:
    """Without TLS a password goes to this very machine only."""
    error = await refusal(smtp(25, host="192.0.2.1", username="video", password="secret"))
    assert isinstance(error, MailUnavailable)
    assert "in the clear" in error.detail


@pytest.mark.parametrize(
    ("command", "reply", "kind"),
    [
        ("RCPT", "550 No such user", MailRefused),
        ("RCPT", "451 Greylisted, try again later", MailUnavailable),
        ("RCPT", "452 Mailbox full", MailUnavailable),
        ("DATA", "554 Looks like spam", MailRefused),
        ("DATA", "451 Local error", MailUnavailable),
        ("MAIL", "550 Not your address", MailUnavailable),
        ("MAIL", "421 Too busy", MailUnavailable),
    ],
)
async def test_refusals(mailbox: Mailbox, command: str, reply: str, kind: type[Exception]) -> None:
    """What is said for good about the recipient or the message is final, everything else may change; it is quoted."""
    mailbox.answers = {command: [reply]}
    async with serving(mailbox) as (port, _):
        error = await refusal(smtp(port))
        assert type(error) is kind
        assert reply.removesuffix(".") in error.detail
        await smtp(port).send(message())
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(
    "recipient", ["", "alice", "a@b, c@d", "alice@example.org\r\nBcc: eve@example.org", "<>", "@", "a@" + "x" * 300]
)
async def test_no_address(mailbox: Mailbox, recipient: str) -> None:
    """What is no single address is refused for good, before any server is asked."""
    async with serving(mailbox) as (port, _):
        with pytest.raises(MailRefused):
            await smtp(port).send(type(message())("id", recipient, "Subject", "Text", "<p>Text"))
    assert mailbox.mails == []


async def test_addresses_of_all_scripts(mailbox: Mailbox) -> None:
    """A domain in any script is written as the DNS has it; a name before the @ needs a server that knows such."""
    async with serving(mailbox) as (port, _):
        await smtp(port).send(type(message())("id", "zoe@müller.example", "Subject", "Text", "<p>Text"))
        with pytest.raises(MailRefused, match="letters"):
            await smtp(port).send(type(message())("id", "zoë@example.org", "Subject", "Text", "<p>Text"))
    async with serving(mailbox, enable_SMTPUTF8=True) as (port, _):
        await smtp(port).send(type(message())("id", "zoë@example.org", "Subject", "Text", "<p>Text"))
    assert mailbox.recipients == ["zoe@xn--mller-kva.example", "zoë@example.org"]


async def test_a_server_that_hangs(mailbox: Mailbox) -> None:
    """A server that says nothing, at any point, is left after the time-out."""

    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    mailbox.delay = 3600
    async with asyncio.timeout(150):
        async with misbehaving(silent) as port:
            assert isinstance(await refusal(smtp(port, timeout=0.3)), MailUnavailable)
        async with serving(mailbox) as (port, _):
            assert isinstance(await refusal(smtp(port, timeout=0.3)), MailUnavailable)


async def test_a_server_that_drips() -> None:
    """A server that always says a little more, so that no step ever times out, is left in the end."""

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(100_000):
            writer.write(b"220-line %d\r\n" % number)
            await writer.drain()
            await asyncio.sleep(0.05)

    async with asyncio.timeout(150), misbehaving(drip) as port:
        assert isinstance(await refusal(smtp(port, timeout=0.2)), MailUnavailable)


@pytest.mark.parametrize(
    "after", [b"", b"220 hello\r\n", b"220 hello\r\n250 fine\r\n", b"554 go away\r\n", b"\xff\x00\r\n" * 50]
)
async def test_a_server_that_breaks_off(after: bytes) -> None:
    """A connection that ends, or a server that is none, is trouble that may pass."""

    async def say_and_go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in after.splitlines(keepends=True):
            writer.write(line)
            await writer.drain()
            if b"220" in line or b"250" in line:
                await reader.readline()

    async with misbehaving(say_and_go) as port:
        assert isinstance(await refusal(smtp(port, timeout=2)), MailUnavailable)


async def test_broken_off_after_the_last_byte(mailbox: Mailbox) -> None:
    """A server that takes the message and says goodbye by hanging up has taken it: no error."""

    async def take_and_go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: bytes) -> None:
            writer.write(line + b"\r\n")
            await writer.drain()

        await say(b"220 hello")
        while line := await reader.readline():
            if line.startswith(b"DATA"):
                await say(b"354 go on")
                while await reader.readline() != b".\r\n":
                    pass
                await say(b"250 taken")
                return
            await say(b"250 fine")

    async with misbehaving(take_and_go) as port:
        await smtp(port).send(message())


async def test_no_server_at_all() -> None:
    """A port where nobody listens, and a name that does not exist."""
    async with misbehaving(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    error = await refusal(smtp(port))
    assert isinstance(error, MailUnavailable)
    assert f"port {port}" in error.detail
    assert isinstance(await refusal(smtp(25, host="nowhere.invalid")), MailUnavailable)


async def test_a_long_reply_is_cut(mailbox: Mailbox) -> None:
    """What a server says is kept on one line, and not all of it."""
    mailbox.answers = {"RCPT": ["550-first\r\n550 " + "x" * 400]}
    async with serving(mailbox) as (port, _):
        error = await refusal(smtp(port))
    assert "\n" not in error.detail
    assert len(error.detail) < 400


def test_an_authority_that_is_none(tmp_path: Path) -> None:
    """A `ca_file` that is missing or no certificate is found out when the sender is made."""
    with pytest.raises(OSError):
        smtp(25, "tls", ca_file=str(tmp_path / "missing.pem"))
    (tmp_path / "nonsense.pem").write_text("nonsense")
    with pytest.raises(OSError):
        smtp(25, "tls", ca_file=str(tmp_path / "nonsense.pem"))
