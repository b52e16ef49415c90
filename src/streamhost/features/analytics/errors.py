"""What can be wrong with reports of players."""

from __future__ import annotations

from typing import ClassVar

from streamhost.model.errors import StreamhostError


class ReportsBacklog(StreamhostError):
    """More is reported at the moment than can be written down."""

    code = "reports_backlog"
    hint = "Send the same events again, with the same sequence numbers, after `Retry-After` seconds."
    outage = True
    retry_after: ClassVar[float] = 5.0
