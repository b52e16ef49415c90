"""What is written down of every act that matters for safety: who did what to whom, from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from streamhost.model.accounts import User, Viewer
from streamhost.model.clock import Timestamp
from streamhost.model.ids import UserId


class Act(StrEnum):
    """What was done."""

    SET_UP = "set_up"
    REGISTERED = "registered"
    EMAIL_VERIFIED = "email_verified"
    VERIFICATION_SENT_AGAIN = "verification_sent_again"
    EMAIL_TAKEN_AS_VERIFIED = "email_taken_as_verified"
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SECOND_FACTOR_REFUSED = "second_factor_refused"
    SIGNED_OUT = "signed_out"
    SESSION_ENDED = "session_ended"
    ALL_SESSIONS_ENDED = "all_sessions_ended"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105  # the name of an act
    PASSWORD_REFUSED = "password_refused"  # noqa: S105  # the name of an act
    PASSWORD_RESET_ASKED = "password_reset_asked"  # noqa: S105  # the name of an act
    PASSWORD_RESET = "password_reset"  # noqa: S105  # the name of an act
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # the name of an act
    EMAIL_CHANGE_ASKED = "email_change_asked"
    EMAIL_CHANGED = "email_changed"
    SECOND_FACTOR_BEGUN = "second_factor_begun"
    SECOND_FACTOR_ON = "second_factor_on"
    SECOND_FACTOR_OFF = "second_factor_off"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    API_TOKEN_MADE = "api_token_made"  # noqa: S105  # the name of an act
    API_TOKEN_REVOKED = "api_token_revoked"  # noqa: S105  # the name of an act
    INVITATION_MADE = "invitation_made"
    INVITATION_REVOKED = "invitation_revoked"
    USER_ADDED = "user_added"
    USER_RENAMED = "user_renamed"
    ROLE_CHANGED = "role_changed"
    QUOTA_CHANGED = "quota_changed"
    STREAM_LIMIT_CHANGED = "stream_limit_changed"
    STREAM_STOPPED = "stream_stopped"
    KEYS_REPLACED = "keys_replaced"
    USER_DISABLED = "user_disabled"
    USER_ENABLED = "user_enabled"
    USER_DELETED = "user_deleted"
    VIDEO_EDITED = "video_edited"
    """Somebody else's than the actor's, as with the next three."""
    VIDEO_TRASHED = "video_trashed"
    VIDEO_RESTORED = "video_restored"
    VIDEO_DELETED = "video_deleted"
    VIDEO_APPROVED = "video_approved"
    VIDEO_HELD = "video_held"
    VIDEO_REJECTED = "video_rejected"
    DECISION_UNDONE = "decision_undone"
    CASE_TAKEN_OVER = "case_taken_over"
    SCREENING_ORDERED = "screening_ordered"
    PROFILE_CHOSEN = "profile_chosen"
    RESCREEN_STARTED = "rescreen_started"
    RESCREEN_APPLIED = "rescreen_applied"
    RESCREEN_ENDED = "rescreen_ended"
    MAIL_RETRIED = "mail_retried"
    MAIL_DISCARDED = "mail_discarded"
    WEBHOOK_ADDED = "webhook_added"
    WEBHOOK_CHANGED = "webhook_changed"
    WEBHOOK_REMOVED = "webhook_removed"
    WEBHOOK_SECRET_REPLACED = "webhook_secret_replaced"  # noqa: S105  # the name of an act
    WEBHOOK_REPLAYED = "webhook_replayed"
    REPORTS_CLOSED = "reports_closed"
    SETTING_CHANGED = "setting_changed"
    SERVER_RESTARTED = "server_restarted"
    LOGO_CHANGED = "logo_changed"
    LOGO_REMOVED = "logo_removed"
    MODEL_ASKED_FOR = "model_asked_for"
    MODEL_REMOVED = "model_removed"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a user, or with no id the command line or the system; and the address they came from."""

    id: UserId | None
    words: str
    address: str = ""

    @classmethod
    def of(cls, who: User | Viewer, address: str = "") -> Actor:
        """The actor that a user is, at `address`."""
        user = who.user if isinstance(who, Viewer) else who
        return cls(user.id, user.email, address) if user else cls(None, "", address)


SYSTEM = Actor(None, "system")
COMMAND_LINE = Actor(None, "command line")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the log. `number` counts up without gaps; `details` hold no secrets, and no words of strangers."""

    at: Timestamp
    act: Act
    actor: Actor
    subject_id: UserId | None = None
    subject: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    number: int = 0
