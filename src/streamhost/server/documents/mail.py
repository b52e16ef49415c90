"""Mail, as the API and the command line show it."""

from dataclasses import dataclass

from streamhost.model.clock import iso
from streamhost.model.mail import Letter


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a mail was not delivered: `code` is stable, `detail` and `hint` are for people."""

    code: str
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class LetterDocument:
    """One mail. What it says is not shown: it may hold a link that only its recipient may have."""

    id: str
    kind: str
    to: str
    state: str
    attempts: int
    created_at: str | None
    tried_at: str | None
    ended_at: str | None
    error: Trouble | None


def letter_document(letter: Letter) -> LetterDocument:
    """The public form."""
    trouble = Trouble(letter.error_code, letter.error_detail or "") if letter.error_code else None
    return LetterDocument(
        id=letter.id,
        kind=letter.kind.value,
        to=letter.recipient,
        state=letter.state.value,
        attempts=letter.attempts,
        created_at=iso(letter.created_at),
        tried_at=iso(letter.tried_at),
        ended_at=iso(letter.ended_at),
        error=trouble,
    )
