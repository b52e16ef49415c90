"""What moderators are told when something cannot be done."""

from __future__ import annotations

from streamhost.model.errors import Conflict


class NoCase(Conflict):
    """Nobody need look at this video at the moment."""

    code = "no_case"
    hint = "It may have been decided meanwhile; its history tells."


class NotMade(Conflict):
    """This video is still being made; models look at it by themselves once it is."""

    code = "not_made"


class ClaimedByOther(Conflict):
    """Another moderator is looking at this video."""

    code = "claimed_by_other"
    hint = "It is free again when they have decided, let go of it, or been away for ten minutes."


class ChangedMeanwhile(Conflict):
    """This video was changed after you opened it, so you have not seen what you would approve."""

    code = "changed_meanwhile"
    hint = "Look at it as it is now, then decide."


class OwnVideo(Conflict):
    """This video is yours, and what you upload is not trusted unseen: somebody else decides about it."""

    code = "own_video"


class NothingToUndo(Conflict):
    """There is no decision of a person that could be taken back."""

    code = "nothing_to_undo"


class ProfileFixed(Conflict):
    """The profile is fixed by the settings of this server."""

    code = "profile_fixed"
    hint = "Change or remove moderation.profile where the server's settings are."


class RescreenBusy(Conflict):
    """Videos are being looked at anew already, or this has ended."""

    code = "rescreen_busy"
    hint = "Wait until it is over, or cancel it."
