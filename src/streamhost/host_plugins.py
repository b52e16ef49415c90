"""Puts what plugins bring to use, as the settings say. A part of `host.py`, and like it imported by nothing below."""

from __future__ import annotations

from streamhost.config import InvalidSettings, perhaps
from streamhost.features.protection import KeySources, LocalKeySource, Protections
from streamhost.host_basis import Basis
from streamhost.plugins import Registered


def protections_of(basis: Basis, local: LocalKeySource, registered: Registered) -> Protections:
    """Keys and licences, from the source that the settings name. Raises `InvalidSettings` for one that nobody knows."""
    sources, wanted = registered.key_sources, basis.settings.protection.key_source
    if wanted not in sources:
        meant = perhaps(wanted, sources) or f"; there are {', '.join(sources)}"
        raise InvalidSettings(f'protection.key_source: nothing installed brings "{wanted}"{meant}')
    source = KeySources(basis.db, wanted, sources)
    return Protections(source, local, basis.clock, basis.settings.protection, registered.licence_proxies)
