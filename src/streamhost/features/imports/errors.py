"""Why a file of an import folder is not a video yet, in words."""

from __future__ import annotations

from streamhost.model.errors import Conflict, InvalidInput, NotFound, StreamhostError


class ImportUnreadable(StreamhostError):
    """The file or folder cannot be read."""

    code = "import_unreadable"
    hint = "Let the account that runs streamhost read it; a folder needs the right to search it too."
    permanent = True


class ImportOutside(StreamhostError):
    """The way to the file leads out of its folder."""

    code = "import_outside"
    hint = "Links are not followed. Put the file itself into the folder, or import the folder where it lies."
    permanent = True


class ImportChanged(StreamhostError):
    """The file changed while it was taken in."""

    code = "import_changed"
    hint = "It is taken in when it has stayed as it is for a while."


class ImportTooLarge(StreamhostError):
    """The file is larger than this server takes."""

    code = "import_too_large"
    hint = "Raise the setting uploads.max_size."
    permanent = True


class ImportNoRoom(StreamhostError):
    """There is not enough room on the server for this file."""

    code = "import_no_room"
    hint = "It is taken in when there is."


class ImportNoOwner(StreamhostError):
    """There is no account whose video it could become."""

    code = "import_no_owner"
    hint = "Add an administrator, or name an account in the setting imports.owner; it must not be disabled."


class ImportNotLinked(StreamhostError):
    """The file cannot get a second name in the storage."""

    code = "import_not_linked"
    hint = "Hard links need one file system and the right to link the file; choose the policy keep or move instead."
    permanent = True


class ImportNotRemoved(StreamhostError):
    """The file cannot be removed from its folder, so it cannot be moved."""

    code = "import_not_removed"
    hint = "Let the account that runs streamhost write in that folder, or choose the policy keep."
    permanent = True


class SidecarInvalid(StreamhostError):
    """What lies beside the file says something that a video cannot have."""

    code = "sidecar_invalid"
    hint = "Correct it; the file is taken in then."
    permanent = True


class FolderMissing(StreamhostError):
    """The folder is not there."""

    code = "import_folder_missing"
    hint = "Make it, or mount the disk that it lies on; what was imported from it stays meanwhile."


class FolderEmptied(StreamhostError):
    """Everything that was in the folder is gone."""

    code = "import_folder_emptied"
    hint = "Look whether its disk is mounted; nothing was deleted."


class FolderForbidden(InvalidInput):
    """That folder cannot be imported from."""

    code = "import_folder_forbidden"
    hint = "It must not be the data directory, nor lie in the folders that streamhost keeps there for itself."


class NoSuchImport(NotFound):
    """There is no such imported file."""

    code = "import_not_found"


class NotRetriable(Conflict):
    """This file has nothing to be tried again."""

    code = "import_not_retriable"
    hint = "Files that failed, wait, or are duplicates can be tried again, and those whose video was deleted."
