"""`streamhost webhooks`: programs that are told of events."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote

import click

from streamhost.cli.beside import in_folder
from streamhost.cli.remote import Document, Remote, as_document, taken
from streamhost.cli.where import FOR_ADMINS, Where, somewhere
from streamhost.host import Host
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.clock import DAY, HOUR, MINUTE, iso
from streamhost.model.ids import DeliveryId, WebhookId
from streamhost.model.notices import DeliveryState
from streamhost.server.documents.webhooks import delivery_document, webhook_document

ADDRESS = "/api/v1/admin/webhooks"
UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}


def moment(_context: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """A moment as seconds since 1970 UTC: a span before now, or a date with or without a time (UTC)."""
    if text is None:
        return None
    if span := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return time.time() - int(span[1]) * UNITS[span[2]]
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        words = "Say how long ago (30m, 12h, 2d), or when (2026-11-22, 2026-11-22T18:00)."
        raise click.BadParameter(words) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


@click.group()
def webhooks() -> None:
    """Add, test and repair webhooks: addresses that are told of events; at a running server or on a data directory."""


@webhooks.command("list")
@somewhere(FOR_ADMINS)
def list_webhooks(where: Where, as_json: bool) -> None:
    """List the webhooks, and how they fare."""

    async def look(host: Host) -> list[Document]:
        return [as_document(webhook_document(one)) for one in await host.notifications.webhooks.listed()]

    found = where.desk(lambda remote: remote.document("GET", ADDRESS)["items"], in_folder(look))
    if as_json:
        _print({"items": found})
        return
    for one in found:
        state = "off" if not one["enabled"] else "fails" if one["failing_since"] else "on"
        click.echo(f"{one['id']}  {state:5}  {one['waiting']} waiting, {one['dead']} dead  {one['url']}")
        click.echo("; ".join(filter(None, (f"    {', '.join(one['kinds']) or 'all events'}", one["note"]))))
        if one["disabled_because"]:
            click.echo(f"    {one['disabled_because']}")
    if not found:
        click.echo("There are none.")


@webhooks.command()
@click.argument("target", metavar="URL")
@click.option("--kind", "kinds", multiple=True, help="An event to tell of; may be given several times. [default: all]")
@click.option("--note", default="", help="What listens there.")
@somewhere(FOR_ADMINS)
def add(target: str, kinds: Sequence[str], note: str, where: Where, as_json: bool) -> None:
    """Have events posted to URL. Prints the signing secret, this once."""

    def at_server(remote: Remote) -> Document:
        made = remote.once("POST", ADDRESS, {"url": target, "kinds": list(kinds), "note": note})
        return {"id": made["webhook"]["id"], "url": made["webhook"]["url"], "secret": made["secret"]}

    async def work(host: Host) -> Document:
        made = await host.notifications.webhooks.create(target, kinds, note, COMMAND_LINE)
        return {"id": made.webhook.id, "url": made.webhook.url, "secret": made.secret}

    made = where.desk(at_server, in_folder(work))
    if as_json:
        _print(made)
    else:
        click.echo(f"Webhook {made['id']} is added. Its signing secret, shown only now:\n{made['secret']}")


@webhooks.command()
@click.argument("webhook")
@somewhere(FOR_ADMINS)
def remove(webhook: str, where: Where, as_json: bool) -> None:
    """Remove WEBHOOK (its id), with everything that waits for it."""

    async def work(host: Host) -> None:
        await host.notifications.webhooks.remove(WebhookId(webhook), COMMAND_LINE)

    where.desk(lambda remote: remote.document("DELETE", _place(webhook)), in_folder(work))
    click.echo(json.dumps({"removed": webhook}) if as_json else f"Webhook {webhook} is removed.")


@webhooks.command()
@click.argument("webhook")
@somewhere(FOR_ADMINS)
def test(webhook: str, where: Where, as_json: bool) -> None:
    """Post a test event to WEBHOOK now. Exit code 0 only if it was taken."""

    async def work(host: Host) -> None:
        await host.notifications.webhooks.test(WebhookId(webhook))

    where.desk(lambda remote: taken(remote.document("POST", f"{_place(webhook)}/test")), in_folder(work))
    click.echo(json.dumps({"id": webhook, "taken": True}) if as_json else "The endpoint has taken a test event.")


@webhooks.command()
@click.argument("webhook")
@click.option("--on/--off", "on", required=True, help="Send to it, or not.")
@somewhere(FOR_ADMINS)
def switch(webhook: str, on: bool, where: Where, as_json: bool) -> None:
    """Switch WEBHOOK on or off. While it is off, events are kept among its dead letters."""

    async def work(host: Host) -> None:
        await host.notifications.webhooks.change(WebhookId(webhook), COMMAND_LINE, enabled=on)

    where.desk(lambda remote: remote.document("PATCH", _place(webhook), {"enabled": on}), in_folder(work))
    words = f"Webhook {webhook} is switched {'on' if on else 'off'}."
    click.echo(json.dumps({"id": webhook, "on": on}) if as_json else words)


@webhooks.command()
@click.argument("webhook")
@click.option("--state", type=click.Choice([state.value for state in DeliveryState]), help="Only those. [default: all]")
@somewhere(FOR_ADMINS)
def deliveries(webhook: str, state: str | None, where: Where, as_json: bool) -> None:
    """List what was sent to WEBHOOK, or is to be, newest first."""

    def at_server(remote: Remote) -> list[Document]:
        return list(remote.items(f"{_place(webhook)}/deliveries", {"state": state}))

    async def look(host: Host) -> list[Document]:
        wanted = DeliveryState(state) if state else None
        found = await host.notifications.webhooks.deliveries(WebhookId(webhook), wanted)
        return [as_document(delivery_document(one)) for one in found]

    found = where.desk(at_server, in_folder(look))
    if as_json:
        _print({"items": found})
        return
    for one in found:
        tries = "1 attempt" if one["attempts"] == 1 else f"{one['attempts']} attempts"
        click.echo(f"{one['id']}  {one['state']:9}  {(one['created_at'] or '')[:16]}  {one['kind']}  {tries}")
        if one["error"]:
            click.echo(f"    {one['error']['detail']}")
    if not found:
        click.echo("There are none.")


@webhooks.command()
@click.argument("webhook")
@click.argument("delivery", required=False)
@click.option("--since", callback=moment, help="Every dead letter since then: 12h ago, 2d ago, or a date.")
@click.option("--everything", is_flag=True, help="With --since: also what has arrived.")
@somewhere(FOR_ADMINS)
def replay(
    webhook: str, delivery: str | None, since: float | None, everything: bool, where: Where, as_json: bool
) -> None:
    """Deliver to WEBHOOK again: one DELIVERY by its id, or what is dead since a moment."""
    if (delivery is None) == (since is None):
        raise click.UsageError("Name a delivery, or say --since.")

    def at_server(remote: Remote) -> int:
        began = None if since is None else iso(max(since, 0.0))
        wish = {"delivery": delivery, "since": began, "everything": everything}
        return int(remote.document("POST", f"{_place(webhook)}/replay", wish)["replayed"])

    async def work(host: Host) -> int:
        room = host.notifications.webhooks
        if delivery is not None:
            await room.replay(WebhookId(webhook), DeliveryId(delivery), COMMAND_LINE)
            return 1
        return await room.replay_since(WebhookId(webhook), since or 0.0, COMMAND_LINE, everything=everything)

    count = where.desk(at_server, in_folder(work))
    click.echo(json.dumps({"replayed": count}) if as_json else f"Deliveries on their way again: {count}.")


@webhooks.command()
@click.argument("webhook")
@click.option("--hours", type=float, default=24.0, show_default=True, help="For how long the old secret signs too.")
@somewhere(FOR_ADMINS)
def rotate(webhook: str, hours: float, where: Where, as_json: bool) -> None:
    """Replace the signing secret of WEBHOOK. Prints the new one, this once."""

    def at_server(remote: Remote) -> str:
        # Asked twice, the secret that is out would sign no more.
        return str(remote.once("POST", f"{_place(webhook)}/rotate", {"hours": hours})["secret"])

    async def work(host: Host) -> str:
        return (await host.notifications.webhooks.rotate(WebhookId(webhook), COMMAND_LINE, hours * HOUR)).secret

    secret = where.desk(at_server, in_folder(work))
    if as_json:
        _print({"id": webhook, "secret": secret, "old_signs_hours": hours})
        return
    click.echo(f"The old secret signs too for {hours:g} hours. The new one, shown only now:\n{secret}")


def _place(webhook: str) -> str:
    return f"{ADDRESS}/{quote(webhook, safe='')}"


def _print(document: Document) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
