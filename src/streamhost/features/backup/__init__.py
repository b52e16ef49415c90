"""The room of backups: a whole site in a folder, a file or a bucket, proven, and brought back."""

from streamhost.features.backup.buckets import BucketShelf
from streamhost.features.backup.errors import BackupImpossible, NoBackup
from streamhost.features.backup.folders import FolderShelf, FolderSource
from streamhost.features.backup.making import Maker, Progress, Proof, Site, Told
from streamhost.features.backup.manifest import FILE, NAME, Manifest
from streamhost.features.backup.places import Shelf, Source
from streamhost.features.backup.restoring import Backup, Verdict, is_catalog, restore_snapshot
from streamhost.features.backup.room import Backups, ScheduledBackups, Tells, Wishes
from streamhost.features.backup.tars import TarShelf

__all__ = [
    "FILE",
    "NAME",
    "Backup",
    "BackupImpossible",
    "Backups",
    "BucketShelf",
    "FolderShelf",
    "FolderSource",
    "Maker",
    "Manifest",
    "NoBackup",
    "Progress",
    "Proof",
    "ScheduledBackups",
    "Shelf",
    "Site",
    "Source",
    "TarShelf",
    "Tells",
    "Told",
    "Verdict",
    "Wishes",
    "is_catalog",
    "restore_snapshot",
]
