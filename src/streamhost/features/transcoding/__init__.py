"""From an uploaded file to a set of segments that plays."""

from streamhost.features.transcoding.room import Transcoding

__all__ = ["Transcoding"]
