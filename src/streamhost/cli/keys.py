"""`streamhost keys`: the keys that sign grants, and the ones that wrap the keys of protected videos."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from streamhost.cli.beside import settings_beside, with_host
from streamhost.cli.options import data_option, json_option
from streamhost.features.protection import Wrapping
from streamhost.host import Host
from streamhost.keyrings import Ring, RingKey
from streamhost.model.audit import COMMAND_LINE, Act
from streamhost.model.clock import MINUTE, iso


@click.group()
def keys() -> None:
    """List and replace the keys of grants and of protected videos. No secret is ever printed."""


@keys.command("list")
@data_option
@json_option
def list_keys(data: Path | None, as_json: bool) -> None:
    """Show which keys sign, which still count, and what the others wrap."""
    grants, wrappings = with_host(settings_beside(data), _listed)
    document = {"grants": [_grant_key(key) for key in grants], "wrapping": [_wrapping(key) for key in wrappings]}
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    click.echo("Grants are signed by:")
    now = time.time()
    for key in grants:
        since = "since the instance was made" if key.since == 0 else f"since {iso(key.since)}"
        end = "signs" if key is grants[-1] else f"counts until {iso(key.until)}" if key.counts(now) else "is over"
        click.echo(f"  {key.id:>3}  {end}, {since}")
    click.echo("Content keys are wrapped by:")
    for one in wrappings:
        word = " (in use)" if one.current else ""
        click.echo(f"  {one.id:>3}  {one.keys} keys of {one.packages} packages{word}")


@keys.command()
@click.option("--at-once", is_flag=True, help="After a leak: grants that are out end now; players ask for new ones.")
@data_option
@json_option
def rotate(at_once: bool, data: Path | None, as_json: bool) -> None:
    """Replace both kinds of keys. Works beside a running server, which takes the new ones up within seconds.

    Grants that are out go on until they run out. Content keys stay what they are and are wrapped anew, in one
    transaction. Sign-ins, links in mails and second factors hang on the master secret and are not touched.
    """
    grant_key, wrapping_key, wrapped = with_host(settings_beside(data), lambda host: _rotated(host, at_once))
    if as_json:
        click.echo(json.dumps({"grants": grant_key, "wrapping": wrapping_key, "wrapped": wrapped}))
        return
    click.echo(f"Grants are signed by key {grant_key} from now on.")
    click.echo(f"Key {wrapping_key} wraps {wrapped} content keys.")


async def _listed(host: Host) -> tuple[list[RingKey], list[Wrapping]]:
    return list(host.keyrings.ring(Ring.GRANTS).keys), await host.protections.local.wrappings()


async def _rotated(host: Host, at_once: bool) -> tuple[int, int, int]:
    keep = 0.0 if at_once else host.settings.playback.grant_minutes * MINUTE
    fresh = host.keyrings.replace(Ring.GRANTS, host.clock(), keep)
    wrapping, wrapped = await host.protections.local.replace_wrapping()
    how = "at once" if at_once else "as grants run out"
    await host.audit.note(Act.KEYS_REPLACED, COMMAND_LINE, grants=str(fresh.id), wrapping=str(wrapping), old=how)
    return fresh.id, wrapping, wrapped


def _grant_key(key: RingKey) -> dict[str, Any]:
    return {"id": key.id, "since": iso(key.since) if key.since else None, "until": iso(key.until)}


def _wrapping(key: Wrapping) -> dict[str, Any]:
    return {"id": key.id, "keys": key.keys, "packages": key.packages, "current": key.current}
