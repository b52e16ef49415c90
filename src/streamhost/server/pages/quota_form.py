"""What an account may have, as forms say it: gigabytes, videos, streams. Empty: as the site has it; 0: no limit."""

from __future__ import annotations

import re
from decimal import Decimal

from streamhost.model.errors import InvalidInput

PLACES = 9
"""A gigabyte is 10 to the power of this in bytes."""
AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?")
COUNT = re.compile(r"[0-9]{1,9}")


def quota_typed(gigabytes: str, videos: str) -> tuple[int | None, int | None]:
    """Bytes and videos as typed. Raises `InvalidInput`."""
    gigabytes, videos = gigabytes.strip(), videos.strip()
    wrong = {}
    if gigabytes and not AMOUNT.fullmatch(gigabytes):
        wrong["gigabytes"] = "A number such as 20 or 1.5, or nothing."
    if videos and not COUNT.fullmatch(videos):
        wrong["videos"] = "A whole number, or nothing."
    if wrong:
        raise InvalidInput(fields=wrong)
    return int(Decimal(gigabytes).scaleb(PLACES)) if gigabytes else None, int(videos) if videos else None


def streams_typed(text: str) -> int | None:
    """How many videos at the same time, as typed. Raises `InvalidInput`."""
    text = text.strip()
    if text and not COUNT.fullmatch(text):
        raise InvalidInput(fields={"limit": "A whole number, or nothing."})
    return int(text) if text else None


def gigabytes_text(amount: int | None) -> str:
    """Bytes as the form shows them, exactly."""
    return "" if amount is None else f"{Decimal(amount).scaleb(-PLACES).normalize():f}"


def count_text(count: int | None) -> str:
    """A number as the form shows it."""
    return "" if count is None else str(count)
