"""`streamhost webhooks`: programs that are told of events; beside a running server too."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from streamhost.cli.beside import settings_beside, with_host
from streamhost.cli.options import data_option, json_option
from streamhost.features.notifications import Webhooks
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.clock import DAY, HOUR, MINUTE
from streamhost.model.ids import DeliveryId, WebhookId
from streamhost.model.notices import DeliveryState
from streamhost.server.documents.webhooks import delivery_document, webhook_document

_T = TypeVar("_T")
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
    """Add, test and repair webhooks: addresses that are told of events."""


@webhooks.command("list")
@data_option
@json_option
def list_webhooks(data: Path | None, as_json: bool) -> None:
    """List the webhooks, and how they fare."""
    found = _with_webhooks(data, lambda room: room.listed())
    if as_json:
        _print({"items": [webhook_document(one) for one in found]})
        return
    for status in found:
        one = status.webhook
        state = "off" if one.disabled_at is not None else "fails" if one.failing_since is not None else "on"
        click.echo(f"{one.id}  {state:5}  {status.waiting} waiting, {status.dead} dead  {one.url}")
        click.echo(f"    {', '.join(one.kinds) or 'all events'}{f'; {one.note}' if one.note else ''}")
        if one.disabled_because:
            click.echo(f"    {one.disabled_because}")
    if not found:
        click.echo("There are none.")


@webhooks.command()
@click.argument("url")
@click.option("--kind", "kinds", multiple=True, help="An event to tell of; may be given several times. [default: all]")
@click.option("--note", default="", help="What listens there.")
@data_option
@json_option
def add(url: str, kinds: Sequence[str], note: str, data: Path | None, as_json: bool) -> None:
    """Have events posted to URL. Prints the signing secret, this once."""
    made = _with_webhooks(data, lambda room: room.create(url, kinds, note, COMMAND_LINE))
    if as_json:
        _print({"id": made.webhook.id, "url": made.webhook.url, "secret": made.secret})
    else:
        click.echo(f"Webhook {made.webhook.id} is added. Its signing secret, shown only now:\n{made.secret}")


@webhooks.command()
@click.argument("webhook")
@data_option
@json_option
def remove(webhook: str, data: Path | None, as_json: bool) -> None:
    """Remove WEBHOOK (its id), with everything that waits for it."""
    _with_webhooks(data, lambda room: room.remove(WebhookId(webhook), COMMAND_LINE))
    click.echo(json.dumps({"removed": webhook}) if as_json else f"Webhook {webhook} is removed.")


@webhooks.command()
@click.argument("webhook")
@data_option
@json_option
def test(webhook: str, data: Path | None, as_json: bool) -> None:
    """Post a test event to WEBHOOK now. Exit code 0 only if it was taken."""
    _with_webhooks(data, lambda room: room.test(WebhookId(webhook)))
    click.echo(json.dumps({"id": webhook, "taken": True}) if as_json else "The endpoint has taken a test event.")


@webhooks.command()
@click.argument("webhook")
@click.option("--on/--off", "on", required=True, help="Send to it, or not.")
@data_option
@json_option
def switch(webhook: str, on: bool, data: Path | None, as_json: bool) -> None:
    """Switch WEBHOOK on or off. While it is off, events are kept among its dead letters."""
    _with_webhooks(data, lambda room: room.change(WebhookId(webhook), COMMAND_LINE, enabled=on))
    words = f"Webhook {webhook} is switched {'on' if on else 'off'}."
    click.echo(json.dumps({"id": webhook, "on": on}) if as_json else words)


@webhooks.command()
@click.argument("webhook")
@click.option("--state", type=click.Choice([state.value for state in DeliveryState]), help="Only those. [default: all]")
@data_option
@json_option
def deliveries(webhook: str, state: str | None, data: Path | None, as_json: bool) -> None:
    """List what was sent to WEBHOOK, or is to be, newest first."""
    wanted = DeliveryState(state) if state else None
    found = _with_webhooks(data, lambda room: room.deliveries(WebhookId(webhook), wanted))
    documents = [delivery_document(one) for one in found]
    if as_json:
        _print({"items": documents})
        return
    for one in documents:
        tries = "1 attempt" if one.attempts == 1 else f"{one.attempts} attempts"
        click.echo(f"{one.id}  {one.state:9}  {(one.created_at or '')[:16]}  {one.kind}  {tries}")
        if one.error:
            click.echo(f"    {one.error.detail}")
    if not documents:
        click.echo("There are none.")


@webhooks.command()
@click.argument("webhook")
@click.argument("delivery", required=False)
@click.option("--since", callback=moment, help="Every dead letter since then: 12h ago, 2d ago, or a date.")
@click.option("--everything", is_flag=True, help="With --since: also what has arrived.")
@data_option
@json_option
def replay(
    webhook: str, delivery: str | None, since: float | None, everything: bool, data: Path | None, as_json: bool
) -> None:
    """Deliver to WEBHOOK again: one DELIVERY by its id, or what is dead since a moment."""
    if (delivery is None) == (since is None):
        raise click.UsageError("Name a delivery, or say --since.")

    async def work(room: Webhooks) -> int:
        if delivery is not None:
            await room.replay(WebhookId(webhook), DeliveryId(delivery), COMMAND_LINE)
            return 1
        return await room.replay_since(WebhookId(webhook), since or 0.0, COMMAND_LINE, everything=everything)

    count = _with_webhooks(data, work)
    click.echo(json.dumps({"replayed": count}) if as_json else f"Deliveries on their way again: {count}.")


@webhooks.command()
@click.argument("webhook")
@click.option("--hours", type=float, default=24.0, show_default=True, help="For how long the old secret signs too.")
@data_option
@json_option
def rotate(webhook: str, hours: float, data: Path | None, as_json: bool) -> None:
    """Replace the signing secret of WEBHOOK. Prints the new one, this once."""
    made = _with_webhooks(data, lambda room: room.rotate(WebhookId(webhook), COMMAND_LINE, hours * HOUR))
    if as_json:
        _print({"id": webhook, "secret": made.secret, "old_signs_hours": hours})
        return
    click.echo(f"The old secret signs too for {hours:g} hours. The new one, shown only now:\n{made.secret}")


def _with_webhooks(data: Path | None, work: Callable[[Webhooks], Awaitable[_T]]) -> _T:
    return with_host(settings_beside(data), lambda host: work(host.notifications.webhooks))


def _print(document: object) -> None:
    click.echo(json.dumps(msgspec.to_builtins(document), ensure_ascii=False, indent=2))
