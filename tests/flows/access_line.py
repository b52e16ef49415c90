"""One line of the table of who gets which answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WHO = ("anonymous", "viewer", "creator", "owner", "moderator", "admin", "bad")


@dataclass(frozen=True, slots=True)
class Line:
    """The statuses in the order of `WHO`, and what is sent (arguments for httpx)."""

    statuses: str
    send: Mapping[str, Any] = field(default_factory=dict)

    def status(self, who: str) -> int:
        """The status that one of `WHO` gets."""
        return int(self.statuses.split()[WHO.index(who)])
