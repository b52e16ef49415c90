"""Why work on a video cannot be begun, stopped or taken up again."""

from __future__ import annotations

from streamhost.model.errors import Conflict, Forbidden


class NothingUnderway(Conflict):
    """Nothing is being made of this video."""

    code = "nothing_underway"
    hint = "Its `state` tells how it stands."


class StillBeingMade(Conflict):
    """This video is still being made."""

    code = "still_being_made"
    hint = "Change its protection when it is ready, or while it still waits its turn."


class FileRejected(Forbidden):
    """The new file was rejected by those who look after this site."""

    code = "file_rejected"


class NothingToRetry(Conflict):
    """This video is whole: there is nothing to try again."""

    code = "nothing_to_retry"


class SourceGone(Conflict):
    """The uploaded file is not kept any more, and what is asked for needs it."""

    code = "source_gone"
    hint = "Replace the file of this video: upload it again."
