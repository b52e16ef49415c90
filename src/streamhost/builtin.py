"""What the house itself brings, by the same hooks as plugins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamhost.hookspecs import hookimpl
from streamhost.ports import Cdn, Classifier, KeySource, LicenceProxy, Notifier, Storage
from streamhost.ports_recommending import Recommender, WatchGraph

NAME = "streamhost"
"""The house's own name among plugins."""


@dataclass(frozen=True, slots=True, eq=False)
class Builtin:
    """The parts that are there without any plugin, by port and by name."""

    storages: Mapping[str, Storage] = field(default_factory=dict)
    cdns: Mapping[str, Cdn] = field(default_factory=dict)
    notifiers: Mapping[str, Notifier] = field(default_factory=dict)
    classifiers: Mapping[str, Classifier] = field(default_factory=dict)
    recommenders: Mapping[str, Recommender] = field(default_factory=dict)
    watch_graphs: Mapping[str, WatchGraph] = field(default_factory=dict)
    key_sources: Mapping[str, KeySource] = field(default_factory=dict)
    licence_proxies: Mapping[str, LicenceProxy] = field(default_factory=dict)

    @hookimpl
    def register_storages(self) -> Mapping[str, Storage]:
        """Places for media."""
        return self.storages

    @hookimpl
    def register_cdns(self) -> Mapping[str, Cdn]:
        """Networks that deliver."""
        return self.cdns

    @hookimpl
    def register_notifiers(self) -> Mapping[str, Notifier]:
        """Ways to tell people."""
        return self.notifiers

    @hookimpl
    def register_classifiers(self) -> Mapping[str, Classifier]:
        """Models."""
        return self.classifiers

    @hookimpl
    def register_recommenders(self) -> Mapping[str, Recommender]:
        """What proposes videos."""
        return self.recommenders

    @hookimpl
    def register_watch_graphs(self) -> Mapping[str, WatchGraph]:
        """Who watches the same."""
        return self.watch_graphs

    @hookimpl
    def register_key_sources(self) -> Mapping[str, KeySource]:
        """Where content keys come from."""
        return self.key_sources

    @hookimpl
    def register_licence_proxies(self) -> Mapping[str, LicenceProxy]:
        """Who answers licence requests."""
        return self.licence_proxies
