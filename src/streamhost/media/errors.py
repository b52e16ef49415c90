"""What can be wrong with a source, in words for its owner."""

from __future__ import annotations

from typing import ClassVar

from streamhost.model.errors import StreamhostError


class MediaError(StreamhostError):
    """The file could not be processed."""

    code = "media_error"
    permanent = True


class NotMedia(MediaError):
    """The file is not a video or audio file that can be read."""

    code = "not_media"
    hint = "Upload MP4, MOV, MKV, WebM, AVI, MPEG-TS or another common video or audio format."


class NotPicture(MediaError):
    """The file is not a picture that can be read."""

    code = "not_picture"
    hint = "Send a JPEG, PNG or WebP file of at most 67 million pixels."


class NoTracks(MediaError):
    """The file holds no video or audio track."""

    code = "no_tracks"
    hint = "Export the file again with its picture or sound included."


class UnsupportedCodec(MediaError):
    """The file's video or audio is in a coding that cannot be decoded here."""

    code = "unsupported_codec"
    hint = "Convert the file to H.264 video and AAC audio, then upload it again."


class UnsupportedColours(MediaError):
    """The file's colours can be shown by licensed decoders only."""

    code = "unsupported_colours"
    hint = "Export the video as HDR10, HLG or standard range, or as Dolby Vision of profile 8, then upload it again."


class DamagedSource(MediaError):
    """The file is damaged, and nothing of it could be decoded."""

    code = "damaged_source"
    hint = "Check that the file plays where it came from, and that it was copied completely."


class PictureTooLarge(MediaError):
    """The picture has more pixels than this server takes."""

    code = "picture_too_large"
    hint = "Scale the video down, or have the administrator raise the limit."


class TooLong(MediaError):
    """The video runs longer than this server takes."""

    code = "too_long"
    hint = "Cut the video into parts, or have the administrator raise the limit."


class PartsDoNotFit(MediaError):
    """The parts of a rendition do not follow each other without a gap."""

    code = "parts_do_not_fit"
    hint = "Start the transcoding of this video again."


class EncoderFailed(MediaError):
    """The video encoder did not do its work."""

    code = "encoder_failed"
    permanent: ClassVar[bool] = False
    hint = "Set media.encoder to libx264, which needs no graphics card."


class DamagedPackage(MediaError):
    """What is stored of the video cannot be read as it was written, or not with the keys that are there."""

    code = "damaged_package"
    hint = (
        "Where the uploaded file is still there, make the video from it again; else restore the storage from a backup."
    )


class NotProtectable(MediaError):
    """The pictures cannot be encrypted as they are."""

    code = "not_protectable"
    hint = "Choose AES-128, which encrypts whole files, or let the video be encoded again."


class OutOfSpace(MediaError):
    """There was no room to write the renditions."""

    code = "out_of_space"
    permanent: ClassVar[bool] = False
    hint = "Free some space on the server's disk; the work then goes on by itself."


class TaskFailed(MediaError):
    """Processing the file stopped on an error that nobody foresaw."""

    code = "media_task_failed"
    permanent: ClassVar[bool] = False
    hint = "It is tried again; if it keeps failing, report it with the log's lines."
