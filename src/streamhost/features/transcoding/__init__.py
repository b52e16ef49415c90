"""From an uploaded file to a set of segments that plays."""

from streamhost.features.transcoding.control import Action, Control
from streamhost.features.transcoding.encoder import EncoderChooser
from streamhost.features.transcoding.room import Transcoding

__all__ = ["Action", "Control", "EncoderChooser", "Transcoding"]
