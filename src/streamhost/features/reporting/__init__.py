"""Reports by viewers: what they say is wrong with a video, and what became of it."""

from streamhost.features.reporting.errors import TooManyReports
from streamhost.features.reporting.room import NewReport, Reporting, ReportPage, Sender

__all__ = ["NewReport", "ReportPage", "Reporting", "Sender", "TooManyReports"]
