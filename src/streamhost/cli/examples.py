"""An example for every command, shown at the end of its help and in the reference. Facts written once, in one place."""

from __future__ import annotations

from collections.abc import Mapping

import click

EXAMPLES: Mapping[str, str] = {
    "backup": "streamhost backup /srv/backups --media --keep 7",
    "cdn": "streamhost cdn status",
    "cdn purge": "streamhost cdn purge 4f2Kq0ZxY1b7Lm9P",
    "cdn status": "streamhost cdn status --json",
    "cdn sync": "streamhost cdn sync --all --wait",
    "completion": "streamhost completion bash > ~/.local/share/bash-completion/completions/streamhost",
    "config": "streamhost config check",
    "config check": "streamhost config check --data /srv/videos",
    "config encoders": "streamhost config encoders",
    "config show": "streamhost config show --json",
    "doctor": "streamhost doctor --data /srv/videos",
    "import": "streamhost import ~/Videos --policy keep --owner alice@example.org",
    "imports": "streamhost imports status",
    "imports forget": "streamhost imports forget 4f2Kq0ZxY1b7Lm9P",
    "imports list": "streamhost imports list --state failed",
    "imports retry": "streamhost imports retry",
    "imports search": "streamhost imports search",
    "imports status": "streamhost imports status --json",
    "jobs": "streamhost jobs list --state failed",
    "jobs cancel": "streamhost jobs cancel video:4f2Kq0ZxY1b7Lm9P",
    "jobs list": "streamhost jobs list --state failed --limit 20",
    "jobs pause": "streamhost jobs pause video:4f2Kq0ZxY1b7Lm9P",
    "jobs priority": "streamhost jobs priority 10 video:4f2Kq0ZxY1b7Lm9P",
    "jobs resume": "streamhost jobs resume video:4f2Kq0ZxY1b7Lm9P",
    "jobs retry": "streamhost jobs retry 7hQ2mXc81sVbN0aE",
    "jobs watch": "streamhost jobs watch video:4f2Kq0ZxY1b7Lm9P --url https://video.example.org",
    "keys": "streamhost keys list",
    "keys list": "streamhost keys list --json",
    "keys rotate": "streamhost keys rotate --at-once",
    "mail": "streamhost mail test you@example.org",
    "mail discard": "streamhost mail discard 7hQ2mXc81sVbN0aE",
    "mail list": "streamhost mail list --state dead",
    "mail retry": "streamhost mail retry --all",
    "mail test": "streamhost mail test you@example.org",
    "models": "streamhost models list",
    "models install": "streamhost models install",
    "models list": "streamhost models list --json",
    "models remove": "streamhost models remove open-nsfw",
    "models verify": "streamhost models verify",
    "plugins": "streamhost plugins list",
    "plugins info": "streamhost plugins info ntfy",
    "plugins list": "streamhost plugins list --json",
    "plugins new": "streamhost plugins new hello --kind events",
    "restore": "streamhost restore /srv/backups --verify",
    "serve": "streamhost serve --data /srv/videos --host 0.0.0.0 --port 8000",
    "setup": "streamhost setup --admin you@example.org --public-url https://video.example.org --data /srv/videos",
    "storage": "streamhost storage check",
    "storage check": "streamhost storage check --json",
    "storage fsck": "streamhost storage fsck --repair",
    "storage move": "streamhost storage move --to s3",
    "storage usage": "streamhost storage usage --by owner",
    "transcode": "streamhost transcode holiday.mp4 ./stream --protection cenc",
    "users": "streamhost users list",
    "users add": "streamhost users add alice@example.org --name Alice --role creator --verified",
    "users delete": "streamhost users delete alice@example.org",
    "users disable": "streamhost users disable alice@example.org",
    "users enable": "streamhost users enable alice@example.org",
    "users invite": "streamhost users invite alice@example.org --role creator --days 7",
    "users list": "streamhost users list --json",
    "users quota": "streamhost users quota alice@example.org --bytes 50000000000 --videos none",
    "users remove-second-factor": "streamhost users remove-second-factor alice@example.org",
    "users reset-password": "streamhost users reset-password alice@example.org",
    "users role": "streamhost users role alice@example.org moderator",
    "users sessions": "streamhost users sessions alice@example.org --end",
    "users verify": "streamhost users verify alice@example.org",
    "videos": "streamhost videos list",
    "videos delete": "streamhost videos delete 4f2Kq0ZxY1b7Lm9P --url https://video.example.org",
    "videos download": "streamhost videos download 4f2Kq0ZxY1b7Lm9P holiday.mp4 --url https://video.example.org",
    "videos edit": "streamhost videos edit 4f2Kq0ZxY1b7Lm9P --title Holiday --visibility public --tag sea",
    "videos list": "streamhost videos list --state failed --json",
    "videos show": "streamhost videos show 4f2Kq0ZxY1b7Lm9P",
    "videos upload": "streamhost videos upload holiday.mp4 --title Holiday --url https://video.example.org --wait",
    "webhooks": "streamhost webhooks list",
    "webhooks add": "streamhost webhooks add https://hooks.example.org/streamhost --kind video_processed",
    "webhooks deliveries": "streamhost webhooks deliveries 7hQ2mXc81sVbN0aE --state dead",
    "webhooks list": "streamhost webhooks list --json",
    "webhooks remove": "streamhost webhooks remove 7hQ2mXc81sVbN0aE",
    "webhooks replay": "streamhost webhooks replay 7hQ2mXc81sVbN0aE --since 12h",
    "webhooks rotate": "streamhost webhooks rotate 7hQ2mXc81sVbN0aE --hours 48",
    "webhooks switch": "streamhost webhooks switch 7hQ2mXc81sVbN0aE --off",
    "webhooks test": "streamhost webhooks test 7hQ2mXc81sVbN0aE",
}
"""By the words that follow `streamhost`."""


def with_example(command: click.Command, path: str) -> None:
    """Put the examples of a command, and of everything below it, at the end of their helps."""
    if path in EXAMPLES and command.epilog is None:
        command.epilog = f"\b\nExample:\n  {EXAMPLES[path]}"
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            with_example(below, f"{path} {name}")
