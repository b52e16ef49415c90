"""What can go wrong with backups, in words."""

from __future__ import annotations

from streamhost.model.errors import Conflict, InvalidInput, NotFound, StreamhostError


class NoBackup(NotFound):
    """There is no backup in that place."""

    code = "no_backup"
    hint = "Name the folder, the .tar file or the s3:// address that `streamhost backup` wrote to."


class BackupDamaged(StreamhostError):
    """The backup is not what was written."""

    code = "backup_damaged"
    hint = "Take another one; `streamhost restore --verify` looks at a backup without restoring it."
    permanent = True


class BackupTooNew(StreamhostError):
    """The backup was made by a newer version of streamhost."""

    code = "backup_too_new"
    hint = "Install that version or a later one, then restore."
    permanent = True


class PassphraseNeeded(InvalidInput):
    """The backup is encrypted."""

    code = "passphrase_needed"
    hint = "Give its passphrase by --passphrase-file, or by STREAMHOST_BACKUP_PASSPHRASE."


class WrongPassphrase(InvalidInput):
    """That is not the passphrase of the backup."""

    code = "wrong_passphrase"
    hint = "Nothing but the passphrase opens it; the data directory does not know it."


class NotEmpty(Conflict):
    """The data directory holds something already."""

    code = "data_directory_not_empty"
    hint = "Restore into a new directory, or say --force: what is replaced is then kept beside it."
    permanent = True


class BackupImpossible(Conflict):
    """No backup can be made like this."""

    code = "backup_impossible"
    permanent = True


class BackupPlaceUnusable(StreamhostError):
    """The place of the backup cannot be used."""

    code = "backup_place_unusable"
    hint = "Look at the room and the rights there, for the user that runs this."


class BackupUnstable(StreamhostError):
    """The keys changed again and again while the backup was being made."""

    code = "backup_unstable"
    hint = "Let `streamhost keys rotate` come to its end, then make the backup again."
