"""What is watched: reports of players in, figures out."""

from streamhost.features.analytics.errors import ReportsBacklog
from streamhost.features.analytics.listening import Overheard
from streamhost.features.analytics.reports import DayLine, Report, Reports
from streamhost.features.analytics.room import Analytics, Sender

__all__ = ["Analytics", "DayLine", "Overheard", "Report", "Reports", "ReportsBacklog", "Sender"]
