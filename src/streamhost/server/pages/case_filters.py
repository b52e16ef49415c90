"""Which cases somebody wants to see at the desk: what the form offers, and what stands in the address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from streamhost.features.moderation import Wanted, wanted_of
from streamhost.model.accounts import User
from streamhost.server.pages.desk_shapes import CATEGORIES, CAUSES, RISKS

ANYBODY, FREE, MINE = "", "free", "mine"
FILTERS: Mapping[str, Any] = {
    "risks": [("", "Any"), *((one.value, words) for one, words in RISKS.items())],
    "categories": [("", "Anything"), *((one.value, words) for one, words in CATEGORIES.items())],
    "causes": [("", "Anything"), *((one.value, words) for one, words in CAUSES.items())],
    "whose": [(ANYBODY, "Anybody's"), (FREE, "Nobody has them"), (MINE, "Mine")],
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter of the list, as it stands in the address."""

    risk: str = ""
    category: str = ""
    cause: str = ""
    who: str = ""

    @property
    def query(self) -> str:
        """The end of an address that keeps the filter."""
        values = {name: value for name, value in self.values().items() if value}
        return f"?{urlencode(values)}" if values else ""

    def values(self) -> dict[str, str]:
        """By name."""
        return {"risk": self.risk, "category": self.category, "cause": self.cause, "who": self.who}

    def wanted(self, user: User) -> Wanted:
        """Which cases that means. Raises `InvalidInput`."""
        found = wanted_of(
            [self.risk] if self.risk else [],
            self.category or None,
            self.cause or None,
            user if self.who == MINE else None,
        )
        return replace(found, free_for=user.id) if self.who == FREE else found
