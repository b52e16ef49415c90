"""Carries a task out, here and now: the table from task to work. Imports PyAV; used in a media child and in tests."""

from __future__ import annotations

from streamhost.media.copying import copy_tracks
from streamhost.media.encoding import encode_chunk
from streamhost.media.joining import join_tracks
from streamhost.media.logo import read_logo
from streamhost.media.poster import make_poster
from streamhost.media.probe import probe
from streamhost.media.progress import Report, silent
from streamhost.media.receiving import read_picture
from streamhost.media.repackaging import repackage
from streamhost.media.scanning import plan_source
from streamhost.media.sound import encode_audio
from streamhost.media.storyboard import make_storyboard
from streamhost.media.subtitles import extract_text
from streamhost.media.tasks import (
    Answer,
    CopyTracks,
    EncodeAudio,
    EncodeChunk,
    ExtractText,
    JoinTracks,
    MakePlan,
    MakePoster,
    MakeStoryboard,
    Probe,
    ReadLogo,
    ReadPicture,
    Repackage,
    Task,
    TryEncoders,
)
from streamhost.media.trial import try_encoders


def execute(task: Task, report: Report = silent) -> Answer:
    """Do the task and return its answer. Raises ``MediaError``; ``report`` hears how far it is."""
    match task:
        case Probe():
            return probe(task.source, task.limits, report)
        case CopyTracks():
            return copy_tracks(task, report)
        case MakePlan():
            return plan_source(task, report)
        case EncodeChunk():
            return encode_chunk(task, report)
        case EncodeAudio():
            return encode_audio(task, report)
        case Repackage():
            return repackage(task, report)
        case MakePoster():
            return make_poster(task)
        case ExtractText():
            return extract_text(task, report)
        case TryEncoders():
            return try_encoders(task)
        case MakeStoryboard():
            return make_storyboard(task, report)
        case ReadPicture():
            return read_picture(task)
        case ReadLogo():
            return read_logo(task)
        case JoinTracks():
            return join_tracks(task, report)
