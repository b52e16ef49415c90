"""Parts of which one upload is made (tus 1.0.0, "Concatenation")."""

from __future__ import annotations

from streamhost.features.uploads.errors import InvalidParts, PartsUnfinished, UploadGone, UploadNotFound
from streamhost.model.ids import UploadId, UserId
from streamhost.model.uploads import Upload, UploadKind


def usable(part: Upload | None, part_id: UploadId, owner_id: UserId, now: float) -> int:
    """The size of a part that can be joined at `now` (seconds since 1970)."""
    if part is None or part.owner_id != owner_id:
        raise UploadNotFound(f"There is no part {part_id}.")
    if part.kind is not UploadKind.PARTIAL:
        raise InvalidParts(f"{part_id} is no partial upload.")
    if not part.complete or part.video_id:
        raise PartsUnfinished(f"It is about {part_id}.")
    if part.expires_at <= now:
        raise UploadGone(f"Its part {part_id} has expired.")
    return part.offset
