"""What the site works with: catalog, storage, mail, models, plugins, jobs, backups."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from streamhost.cli.doctor.lines import Case, Line, fail, failed, ok, warn
from streamhost.features.backup import NAME, TarShelf
from streamhost.features.storekeeping import Checked, check
from streamhost.features.work import State
from streamhost.host_backup import shelf_of
from streamhost.host_mail import smtp_of
from streamhost.ml.registry import State as ModelState
from streamhost.model.clock import DAY, HOUR
from streamhost.model.errors import StreamhostError

MANY = 200


async def storage(case: Case) -> AsyncIterator[Line]:
    """Everything that the storage of the settings must do."""
    if case.host is None:
        return
    settings = case.settings
    try:
        place = case.host.storekeeping.places.place(settings.storage.backend)
        redirects = settings.storage.delivery == "redirect"
        steps = [
            one async for one in check(place, settings.server.public_url or "http://localhost", by_viewers=redirects)
        ]
    except StreamhostError as error:
        yield failed("storage", error)
        return
    wrong = [one for one in steps if one.ok is False and one.tried]
    causes: dict[str, Checked] = {}
    for one in wrong:  # several steps may fail for one reason, which the hint names
        causes.setdefault(one.hint or one.name, one)
    for one in causes.values():
        yield fail(f"storage {one.name}", one.detail, one.hint or "`streamhost storage check` tells more.")
    if not wrong:
        yield ok("storage", f"{settings.storage.backend}: {len(steps)} steps, from writing to deleting, work.")


async def mail(case: Case) -> AsyncIterator[Line]:
    """Whether the mail server takes us; a mail is sent only where one was asked for."""
    if not case.settings.mail.host:
        hint = "Set mail.host; without it nobody can verify an address or get a new password by themselves."
        yield warn("mail", "No mail server is set: mail is printed, not sent.", hint)
        return
    try:
        if case.mail_to and case.host is not None:
            await case.host.mail.test(case.mail_to)
            yield ok("mail", f"The mail server has taken a test mail to {case.mail_to}.")
            return
        await smtp_of(case.settings).check()
    except StreamhostError as error:
        yield failed("mail", error)
        return
    yield ok("mail", f"{case.settings.mail.host} takes us; nothing was sent (--mail-to ADDRESS sends a test).")


async def models(case: Case) -> AsyncIterator[Line]:
    """Which models are here, and what nothing looks for."""
    if case.host is None:
        return
    registry = case.host.models.registry
    broken = [model.id for model in registry.models() if model.state() is ModelState.BROKEN]
    for name in broken:
        yield fail("models", f"{name} is broken.", f"streamhost models install {name}")
    for error in registry.mistakes():
        yield failed("models", error)
    there = [model.id for model in registry.models() if model.state() is ModelState.INSTALLED]
    unseen = sorted(registry.without_model())
    if unseen:
        hint = "`streamhost models install` gets those that there are; see docs/how-to/models.md."
        yield warn("models", f"Nothing looks for {', '.join(unseen)}. Installed: {', '.join(there) or 'none'}.", hint)
    elif not broken:
        yield ok("models", f"Installed: {', '.join(there)}.")


async def plugins(case: Case) -> AsyncIterator[Line]:
    """Which plugins are loaded. One that is wrong has kept the house from being built."""
    if case.host is None:
        return
    found = [plugin.name for plugin in case.host.plugging.plugins.all]
    off = case.settings.plugins.disabled
    words = f"; disabled: {', '.join(off)}" if off else ""
    yield ok("plugins", f"{', '.join(found) or 'None is installed'}{words}.")


async def jobs(case: Case) -> AsyncIterator[Line]:
    """Work that was given up."""
    if case.host is None:
        return
    page = await case.host.work.listed(State.FAILED, kind=None, subject=None, cursor=None, limit=MANY)
    if not page.items:
        yield ok("jobs", "None has failed in the last two weeks.")
        return
    number = f"{len(page.items)}{' or more' if page.next_cursor else ''}"
    hint = "`streamhost jobs list --state failed` tells why, `streamhost jobs show` what their processes said."
    yield warn("jobs", f"{number} have failed.", hint)


async def backups(case: Case) -> AsyncIterator[Line]:
    """Whether there is a backup, and how old it is."""
    place = case.settings.backup.to
    if not place:
        hint = "Set backup.to, or run `streamhost backup` by a timer of your own; see docs/how-to/backups.md."
        yield warn("backups", "None are made by themselves.", hint)
        return
    try:
        shelf = shelf_of(case.settings, place)
        names = await shelf.names()
    except (StreamhostError, OSError) as error:
        if isinstance(error, StreamhostError):
            yield failed("backups", error)
        else:
            yield fail("backups", f"{place}: {error.strerror}.")
        return
    moments = [match["moment"] for name in names if (match := NAME.fullmatch(name))]
    if isinstance(shelf, TarShelf) or not moments:
        words, hint = f"{len(names)} at {place}.", "`streamhost jobs list --kind back_up` tells why."
        yield ok("backups", words) if names else warn("backups", words, hint)
        return
    newest = datetime.strptime(moments[-1][:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp()
    age = time.time() - newest
    words = f"{len(moments)} at {place}, the newest {age / HOUR:.0f} hours old."
    if age > max(2 * case.settings.backup.every_hours * HOUR, DAY):
        yield warn("backups", words, "`streamhost jobs list --kind back_up` tells why there is no newer one.")
    else:
        yield ok("backups", words)
    if not case.settings.backup.passphrase and place.startswith("s3://"):
        yield warn("backups", "They lie in a bucket unencrypted.", "Set backup.passphrase.")


async def catalog(case: Case) -> AsyncIterator[Line]:
    """Whether there is one, and its keys open."""
    if case.host is None:
        return
    try:
        number = await case.host.protections.local.check()
    except StreamhostError as error:
        yield failed("keys", error)
        return
    yield ok("keys", f"All {number} keys of protected videos can be opened.")
