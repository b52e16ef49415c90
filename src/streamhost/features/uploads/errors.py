"""What can go wrong with an upload, in words."""

from __future__ import annotations

from streamhost.model.errors import Conflict, Forbidden, NotFound, StreamhostError


class UploadNotFound(NotFound):
    """There is no such upload."""

    code = "upload_not_found"
    hint = "It was ended, or has expired long ago, or belongs to somebody else. Start a new upload."


class UploadGone(StreamhostError):
    """This upload is no longer there to be continued."""

    code = "upload_gone"
    hint = "Start a new upload."
    permanent = True


class OffsetMismatch(Conflict):
    """The upload stands at another offset than the request."""

    code = "offset_mismatch"
    hint = "Ask for the offset with HEAD and continue there."

    def __init__(self, offset: int) -> None:
        super().__init__(f"It stands at {offset}.")
        self.offset = offset


class UploadInterrupted(Conflict):
    """Another request for the same upload took over."""

    code = "upload_interrupted"
    hint = "Only one request at a time can add bytes; what this one brought is kept."

    def __init__(self, offset: int) -> None:
        super().__init__(f"It stands at {offset}.")
        self.offset = offset


class UploadBusy(Conflict):
    """The upload is being worked on and does not let go."""

    code = "upload_busy"
    hint = "Try again in a moment."


class ChecksumMismatch(StreamhostError):
    """The bytes that arrived are not the bytes that were sent, so none of them was kept."""

    code = "checksum_mismatch"
    hint = "Send the same bytes again."


class UnknownChecksum(StreamhostError):
    """That kind of checksum is not known here."""

    code = "unknown_checksum"
    permanent = True


class UploadTooLarge(StreamhostError):
    """The file is larger than this server takes, or than was announced."""

    code = "too_large"
    permanent = True


class NoRoom(StreamhostError):
    """There is not enough room on the server for this file."""

    code = "no_room"
    hint = "Try again when space has been made; an upload that was begun can then be continued."


class LengthNotChangeable(StreamhostError):
    """The length of an upload is said once, and is never less than what has arrived."""

    code = "invalid_upload_length"
    permanent = True


class FinalUpload(Forbidden):
    """A final upload is made of its parts; nothing can be added to it."""

    code = "final_upload"


class InvalidParts(StreamhostError):
    """Those parts cannot be joined."""

    code = "invalid_parts"
    permanent = True


class PartsUnfinished(Conflict):
    """Not all the parts have arrived, or they were already joined to something else."""

    code = "parts_unfinished"


class ClientGone(StreamhostError):
    """The connection broke before the request was complete."""

    code = "client_gone"
    hint = "What arrived is kept: ask for the offset with HEAD and continue there."


class ClientSilent(StreamhostError):
    """The request stopped sending bytes."""

    code = "client_silent"
    hint = "What arrived is kept: ask for the offset with HEAD and continue there."
