"""What every route for administrators declares."""

from typing import Any

from streamhost.model.accounts import Role
from streamhost.server.accounts import BODY_BYTES, FORGED, NO_STORE, NOT_IN_PERSON, SIGNED_IN
from streamhost.server.auth import at_least
from streamhost.server.documented import BEARER, problems

TAGS = ["administration"]


def looking(**codes: int) -> dict[str, Any]:
    """A route that only shows something; `codes` are refusals of its own."""
    return {
        "guards": [at_least(Role.ADMIN)],
        "cache_control": NO_STORE,
        "tags": TAGS,
        "security": BEARER,
        "responses": problems(**SIGNED_IN, **NOT_IN_PERSON, forbidden=403, **codes),
    }


def changing(**codes: int) -> dict[str, Any]:
    """A route that changes something."""
    return looking(**FORGED, **codes) | {"request_max_body_size": BODY_BYTES}
