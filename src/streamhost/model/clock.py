"""Time, handed in so that tests can move it.

A moment is a float: seconds since 1970 UTC, as the catalog stores it. It becomes ISO 8601 only at the doors.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Timestamp = float
Clock = Callable[[], Timestamp]

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def system_clock() -> Timestamp:
    """Now, by the system's wall clock."""
    return time.time()


def iso(moment: Timestamp | None) -> str | None:
    """ISO 8601 in UTC with milliseconds and a Z; None stays None."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
