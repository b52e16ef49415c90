"""What every route declares by which somebody looks after a video of their own, and files that come by a small form."""

from collections.abc import Mapping
from typing import Any

from litestar import Request

from streamhost.model.errors import InvalidInput
from streamhost.server.accounts import BROKEN_BODY, FORGED, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import signed_in
from streamhost.server.documented import BEARER, problems
from streamhost.server.incoming import incoming
from streamhost.server.multipart import FILE, UploadForm

TAGS = ["videos"]
BROKEN_FORM = {
    "malformed_form": 400,
    "client_gone": 400,
    "unsupported_media_type": 415,
    "invalid_input": 422,
}
"""What a form with a file may be refused for."""


def managing(**codes: int) -> dict[str, Any]:
    """A route that only shows something; `codes` are refusals of its own."""
    return {
        "guards": [signed_in],
        "tags": TAGS,
        "security": BEARER,
        "responses": problems(**SIGNED_IN, **NOT_IN_PERSON, forbidden=403, not_found=404, **codes),
    }


def changing(**codes: int) -> dict[str, Any]:
    """A route that changes something."""
    return managing(**FORGED, **codes)


def ordering(**codes: int) -> dict[str, Any]:
    """A route that changes something as the JSON of its body says."""
    return changing(**BROKEN_BODY, **codes)


async def small_file(request: Request[Any, Any, Any], most: int, limit: str) -> tuple[bytes, Mapping[str, str]]:
    """The file of a form, of `most` bytes, and what the form says beside it. Raises `InvalidInput` with `limit`, a
    sentence, for a file that is larger."""
    data = bytearray()
    async with incoming(request) as body:
        form = UploadForm(request.headers.get("content-type", ""), aiter(body), lambda _fields: None)
        async for piece in form.file():
            data += piece
            if len(data) > most:
                raise InvalidInput(fields={FILE: limit})
    return bytes(data), form.words()
