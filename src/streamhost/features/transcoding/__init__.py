"""From an uploaded file to a set of segments that plays."""

from streamhost.features.transcoding.control import Action, Control
from streamhost.features.transcoding.downloads import Coming, Downloads, Whole
from streamhost.features.transcoding.encoder import EncoderChooser, RunsMedia
from streamhost.features.transcoding.folder import FolderMaker, Made, Standing
from streamhost.features.transcoding.inventory import named
from streamhost.features.transcoding.others import Others
from streamhost.features.transcoding.recipe import Rules
from streamhost.features.transcoding.room import Transcoding
from streamhost.features.transcoding.switching import Switching

__all__ = [
    "Action",
    "Coming",
    "Control",
    "Downloads",
    "EncoderChooser",
    "FolderMaker",
    "Made",
    "Others",
    "Rules",
    "RunsMedia",
    "Standing",
    "Switching",
    "Transcoding",
    "Whole",
    "named",
]
