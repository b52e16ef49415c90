"""Why a report is not taken."""

from __future__ import annotations

from streamhost.model.errors import StreamhostError


class TooManyReports(StreamhostError):
    """You have reported many videos in a short time."""

    code = "too_many_reports"

    def __init__(self, retry_after: float) -> None:
        super().__init__("", hint="Wait a while, then report what is left.")
        self.retry_after = retry_after
        """Seconds until the next has a chance."""
