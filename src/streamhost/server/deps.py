"""What handlers may ask for by name: the features of the host, and its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar.di import Provide

from streamhost.features.overview import Overview
from streamhost.host import Host


def dependencies(host: Host) -> dict[str, Provide]:
    """One dependency for each room that routes speak to."""
    rooms: Mapping[str, Any] = {
        "settings": host.settings,
        "settings_desk": host.settings_desk,
        "branding": host.branding,
        "accounts": host.accounts,
        "audit": host.audit,
        "catalog": host.catalog,
        "trash": host.trash,
        "search": host.search,
        "library": host.library,
        "captions": host.captions,
        "uploads": host.uploads,
        "imports": host.imports,
        "import_desk": host.imports.desk,
        "playback": host.playback,
        "health": host.health,
        "plugging": host.plugging,
        "mail": host.mail,
        "notifications": host.notifications,
        "quotas": host.quotas,
        "control": host.control,
        "downloads": host.downloads,
        "work": host.work,
        "overview": Overview(host.settings, host.db, host.health.report, host.clock),
        "reporting": host.reporting,
        "moderation": host.moderation,
        "models": host.models,
        "model_desk": host.model_desk,
        "sharing": host.sharing,
        "streams": host.streams,
        "syndication": host.syndication,
        "analytics": host.analytics,
        "measures": host.measures,
        "copies": host.copies,
        "keys": host.keys,
        "storekeeping": host.storekeeping,
        "posters": host.posters,
        "recommendations": host.recommending.room,
        "tuning": host.recommending.tuning,
    }
    return {name: _given(room) for name, room in rooms.items()}


def _given(value: Any) -> Provide:
    async def give() -> Any:
        return value

    return Provide(give)
