"""Why a job ended without its work being done."""

from __future__ import annotations

from streamhost.model.errors import StreamhostError


class JobCancelled(StreamhostError):
    """The work was cancelled."""

    code = "job_cancelled"
    permanent = True


class JobCrashed(StreamhostError):
    """The work ended in an error that nobody foresaw."""

    code = "job_crashed"
    hint = "The log tells where; the job is tried again until its attempts are used up."


class JobUnknown(StreamhostError):
    """Nobody here knows how to do this kind of work."""

    code = "job_unknown"
    permanent = True
    hint = "It was put there by another version or by a plugin that is gone; install that again and retry the job."


class JobUnreadable(StreamhostError):
    """What the job was asked to do cannot be read."""

    code = "job_unreadable"
    permanent = True
    hint = "It was put there by another version; retry it there, or cancel it."


class WorkerDied(StreamhostError):
    """The process that ran the work ended in the middle of it."""

    code = "worker_died"
    hint = "Look for crashes, lack of memory or power cuts at the times in the log; then retry the job."


class LeaseLost(StreamhostError):
    """The job was given to somebody else, because this worker had not been heard of for too long."""

    code = "lease_lost"
