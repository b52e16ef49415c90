"""Receives files: tus and one-request uploads, the spool, and the step from a file to a video."""

from streamhost.features.uploads.checksums import ALGORITHMS, Checksum
from streamhost.features.uploads.desk import Uploads
from streamhost.features.uploads.intake import Pace

__all__ = ["ALGORITHMS", "Checksum", "Pace", "Uploads"]
