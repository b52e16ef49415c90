"""`streamhost serve`: the whole platform in one process."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import sys
import tempfile
from pathlib import Path

import click
import uvloop

from streamhost import log
from streamhost.config import Settings, load, media_url
from streamhost.config.serving import ANY
from streamhost.host import Host
from streamhost.server.listening import Listener
from streamhost.server.run import Restart, run


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the catalog, secrets, uploads and media; the platform's usual place unless given here or by "
    "STREAMHOST_DATA.",
)
@click.option("--host", help="Address to listen on: 0.0.0.0 for every network interface, or unix:PATH.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option(
    "--demo", is_flag=True, help="Try it out: people and sample videos in a directory that is deleted at the end."
)
def serve(data: Path | None, host: str | None, port: int | None, demo: bool) -> None:
    """Run the server until it is told to stop (Ctrl-C, or SIGTERM): running requests are finished, jobs kept."""
    with contextlib.ExitStack() as stack:
        if demo:
            if data is not None:
                raise click.UsageError("--demo makes a data directory of its own; leave out --data.")
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="streamhost-demo-")))
        settings = load(data, server__host=host, server__port=port)
        log.configure(settings.log.level, settings.log.format)
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        restart = runner.run(run(settings, announce_demo if demo else announce, restarts=not demo))
    if restart is not None:
        begin_anew(settings, restart)


def begin_anew(settings: Settings, restart: Restart) -> None:
    """Become a fresh server in this process's place: the same command in the same surroundings, so that a supervisor
    sees nothing of it. Where the port was any free one, it stays the one that people know by now."""
    again = ["--port", str(restart.port)] if settings.server.port == 0 and restart.port else []
    log.get("server").info("The server starts anew", action="server_restarting")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:], *again])  # noqa: S606  # our own command


async def announce_demo(listener: Listener, host: Host) -> None:
    """Fill the throw-away instance, and print who lives there."""
    # Only a demo loads the codecs of its sample videos.
    demo = importlib.import_module("streamhost.demo")
    password = await demo.populate(host)
    await announce(listener, host)
    click.echo("This is a demo: everything is deleted when it ends. Sign in as")
    for email, _, role in demo.CAST:
        click.secho(f"  {email}  {password}  ({role.value})", fg="green", bold=True)


async def announce(listener: Listener, host: Host) -> None:
    """Print where the server is, and the way in for the first administrator."""
    settings = host.settings
    address = settings.server.public_url or listener.url
    click.secho(f"{settings.server.site_name} is running at {click.style(address, underline=True)}", bold=True)
    if settings.server.public_url:
        click.echo(f"It listens at {listener.url}")
    if settings.server.media_port and not host.addresses.stream_root:
        click.echo(f"Films are sent from {media_url(settings.server)}")
    if settings.server.host in ANY:
        click.echo("It listens on every network interface.")
    click.echo(f"Data: {settings.data}")
    token = await host.accounts.registration.setup_token()
    if token is not None:
        click.echo("There is no administrator yet. Open this link once to make the account:")
        click.secho(f"  {address}/setup?token={token}", fg="green", bold=True)
