"""What keeps somebody from watching what a password or a link opens."""

from __future__ import annotations

from streamhost.model.errors import Forbidden, InvalidInput, StreamhostError


class PasswordRequired(Forbidden):
    """This video is behind a password."""

    code = "password_required"
    hint = "POST /api/v1/videos/{id}/unlock takes it, and answers with a pass."


class WrongVideoPassword(InvalidInput):
    """That is not the password of this video."""

    code = "wrong_video_password"
    hint = "Ask whoever gave you the link; capital and small letters differ."


class LinkOver(StreamhostError):
    """This link does not open the video any more."""

    code = "share_link_over"
    hint = "It has expired, was used up, or was taken back. Ask for a new one."
    permanent = True


class TooManyGuesses(StreamhostError):
    """Too many passwords were tried on this video."""

    code = "too_many_guesses"

    def __init__(self, retry_after: float) -> None:
        super().__init__("", hint="Wait a while, then try again.")
        self.retry_after = retry_after
        """Seconds until the next has a chance."""
