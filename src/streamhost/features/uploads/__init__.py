"""Receives files: tus and one-request uploads, the spool, and the step from a file to a video."""

from streamhost.features.uploads.checksums import ALGORITHMS, Checksum
from streamhost.features.uploads.describe import check as check_words
from streamhost.features.uploads.describe import offer_of
from streamhost.features.uploads.desk import Uploads
from streamhost.features.uploads.errors import ClientGone, ClientSilent, OffsetMismatch, UploadInterrupted
from streamhost.features.uploads.intake import Pace
from streamhost.features.uploads.spool import Piece

__all__ = [
    "ALGORITHMS",
    "Checksum",
    "ClientGone",
    "ClientSilent",
    "OffsetMismatch",
    "Pace",
    "Piece",
    "UploadInterrupted",
    "Uploads",
    "check_words",
    "offer_of",
]
