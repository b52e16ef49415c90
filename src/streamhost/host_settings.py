"""Joins what decides how the site is set up and looks to the rest of the house; called by `host.assemble` alone."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from streamhost.config import Section, Settings, load_with_origins
from streamhost.db.core import Database
from streamhost.features.branding import Branding
from streamhost.features.settings import SettingsDesk
from streamhost.host_basis import CATALOG_FILE, Basis
from streamhost.media.run import MediaRunner
from streamhost.model.branding import Brand
from streamhost.model.clock import system_clock
from streamhost.plugins import Plugins


def brand_of(settings: Settings) -> Brand:
    """How the site presents itself as far as the settings say; `Branding.start` adds its logo."""
    return Brand(settings.server.site_name, settings.server.accent)


def settings_desk_of(basis: Basis, plugins: Plugins) -> SettingsDesk:
    """The room of the settings, those of plugins among them."""
    return SettingsDesk(basis.settings, basis.brand, _kinds(plugins), basis.db, basis.clock)


@contextlib.asynccontextmanager
async def settings_beside(data: Path | None) -> AsyncIterator[SettingsDesk]:
    """The same room for a command at the machine, beside a running server, or before the first start."""
    # What the file says may be what is to be corrected.
    settings, _ = load_with_origins(data, text="")
    catalog = settings.data / CATALOG_FILE
    db = await Database.open(catalog) if catalog.exists() else None
    try:
        desk = SettingsDesk(settings, brand_of(settings), _kinds(Plugins(settings)), db, system_clock)
        await desk.start()
        yield desk
    finally:
        if db is not None:
            await db.close()


def _kinds(plugins: Plugins) -> dict[str, type[Section] | None]:
    return {plugin.name: type(plugin.settings) if plugin.settings is not None else None for plugin in plugins.all}


def branding_of(basis: Basis, run: MediaRunner) -> Branding:
    """The room of the logo."""
    return Branding(basis.brand, basis.db, basis.clock, run, basis.work)
