"""`streamhost doctor`: looks at everything that can be wrong with a site, and says what to do."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from streamhost import log
from streamhost.cli import FAILED
from streamhost.cli.doctor import cdn, machine, proof, services, site
from streamhost.cli.doctor.asking import Site
from streamhost.cli.doctor.lines import Case, Level, Line, Look, failed, skip, warn
from streamhost.cli.options import USUAL, data_directory, json_option
from streamhost.config import Settings, load
from streamhost.db import migrate
from streamhost.host import Host, assemble
from streamhost.host_basis import CATALOG_FILE
from streamhost.instance import open_instance
from streamhost.model.errors import StreamhostError

MACHINE: tuple[Look, ...] = (
    machine.versions,
    machine.disk,
    machine.rights,
    machine.clock,
    machine.encoders,
    machine.port,
)
SITE: tuple[Look, ...] = (
    services.catalog,
    services.storage,
    services.mail,
    services.models,
    services.plugins,
    services.jobs,
    services.backups,
    site.server,
    site.front,
    cdn.copies,
    proof.private,
)
"""What is looked at where there is a site, in this order."""
COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red", Level.SKIP: None}


@click.command()
@data_directory(f"Data directory of the site. {USUAL}")
@click.option("--url", help="Address of its server. [default: the one that the server has written down]")
@click.option("--mail-to", default="", help="Also send a test mail to this address.")
@click.option("--outside", is_flag=True, help="Also ask other machines: a proxy or a CDN that is not on this one.")
@json_option
def doctor(data: Path | None, url: str | None, mail_to: str, outside: bool, as_json: bool) -> None:
    """Look whether everything works: disk, clock, encoders, keys, storage, mail, CDN, models, the proxy in front.

    And prove that a private segment is refused, by trying.

    Only on a data directory: run it as the user that runs the server, beside it. Nothing is changed; what is stored for
    trying is removed again.
    Exit code 1 if something does not work; what could be better is no failure.
    """
    settings = load(data)
    log.configure("error", settings.log.format)
    lines = asyncio.run(_examined(settings, url, mail_to, outside, (lambda _line: None) if as_json else _show))
    counts = {level.value: sum(line.level is level for line in lines) for level in Level}
    if as_json:
        click.echo(json.dumps({"lines": [asdict(line) for line in lines], "counts": counts}, indent=2))
    else:
        click.echo(f"\n{counts['ok']} are well, {counts['warn']} could be better, {counts['fail']} do not work.")
    if counts["fail"]:
        raise SystemExit(FAILED)


async def _examined(
    settings: Settings, url: str | None, mail_to: str, outside: bool, told: Callable[[Line], None]
) -> list[Line]:
    lines: list[Line] = []

    def note(line: Line) -> None:
        lines.append(line)
        told(line)

    if not (settings.data / CATALOG_FILE).exists():
        note(skip("catalog", f"There is no site in {settings.data} yet.", "`streamhost setup` makes one."))
        if settings.data.exists():
            for look in MACHINE:
                async for line in look(Case(settings, None, "", outside, mail_to)):
                    note(line)
        return lines
    host = await _house(settings, note)
    try:
        address = url if url is not None else await asyncio.to_thread(_answering, open_instance(settings.data).address)
        for look in (*MACHINE, *SITE):
            async for line in look(Case(settings, host, address, outside, mail_to)):
                note(line)
    finally:
        if host is not None:
            await host.close()
    return lines


async def _house(settings: Settings, note: Callable[[Line], None]) -> Host | None:
    """The house on the data directory, unless building it would change the catalog."""
    try:
        waiting = await asyncio.to_thread(migrate.pending, settings.data / CATALOG_FILE)
        if waiting:
            words = f"The next start brings it to this version ({len(waiting)} steps); a copy is kept in snapshots."
            note(warn("catalog", words, "Start the server, then ask again: much cannot be looked at before."))
            return None
        return await assemble(settings, open_instance(settings.data))
    except StreamhostError as error:
        note(failed("house", error))
        return None


def _answering(address: str) -> str:
    """The address that a server has written down, if one answers there."""
    if not address or address.startswith("unix:"):
        return address
    try:
        alive = Site.of(address, outside=True).ask("/livez").status == http.client.OK
    except (OSError, http.client.HTTPException):
        return ""
    return address if alive else ""


def _show(line: Line) -> None:
    word = click.style(f"{line.level.value:4}", fg=COLOURS[line.level], bold=line.level is Level.FAIL)
    click.echo(f"{word}  {line.name:16} {line.detail}")
    if line.hint and line.level is not Level.OK:
        click.echo(f"{'':23}{click.style(line.hint, dim=True)}")
