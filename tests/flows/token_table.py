"""What an API token must be good for, for every route.

A new route needs a line here. What stands below `NEVER` is only for people who have signed in; below `UNSEEN`, nobody's
credentials are looked at, not even bad ones.
"""

from __future__ import annotations

from collections.abc import Mapping

UNSEEN, NEVER = "unseen", "never"

_ROUTES: Mapping[str, str] = {
    UNSEEN: """
        GET /livez
        GET /readyz
        GET /startupz
        GET /api
        GET /api/docs
        GET /api/openapi.json
        GET /assets/{name}
        POST /api/v1/auth/register
        POST /api/v1/auth/login
        POST /api/v1/auth/refresh
        POST /api/v1/auth/verify
        POST /api/v1/auth/verify/resend
        POST /api/v1/auth/password/forgot
        POST /api/v1/auth/password/reset
        POST /api/v1/auth/email/confirm
        GET /unsubscribe
        POST /unsubscribe
        OPTIONS /api/v1/uploads
        OPTIONS /api/v1/uploads/{upload_id}
    """,
    NEVER: """
        POST /api/v1/auth/logout
        GET /api/v1/auth/sessions
        DELETE /api/v1/auth/sessions/{session_id}
        DELETE /api/v1/auth/sessions
        PATCH /api/v1/me
        POST /api/v1/me/password
        POST /api/v1/me/email
        POST /api/v1/me/delete
        GET /api/v1/me/second-factor
        POST /api/v1/me/second-factor
        POST /api/v1/me/second-factor/confirm
        POST /api/v1/me/second-factor/off
        POST /api/v1/me/second-factor/recovery-codes
        GET /api/v1/me/tokens
        POST /api/v1/me/tokens
        DELETE /api/v1/me/tokens/{token_id}
        GET /account
        POST /account/name
        POST /account/email
        GET /account/notifications
        POST /account/notifications
        POST /account/notifications/test
        GET /account/security
        POST /account/password
        POST /account/sessions/{session_id}/end
        POST /account/sessions/end
        GET /account/second-factor
        POST /account/second-factor
        POST /account/second-factor/confirm
        POST /account/second-factor/codes
        POST /account/second-factor/off
        GET /account/streams
        POST /account/streams/{stream_id}/stop
        GET /account/tokens
        POST /account/tokens
        POST /account/tokens/{token_id}/revoke
        GET /account/delete
        POST /account/delete
    """,
    "read": """
        GET /api/v1/me
        GET /api/v1/me/quota
        GET /api/v1/videos
        GET /api/v1/search
        GET /api/v1/videos/{video_id}
        GET /api/v1/videos/{video_id}/posters
        GET /api/v1/videos/{video_id}/posters/{number}
        GET /api/v1/videos/{video_id}/events
        GET /api/v1/videos/{video_id}/captions
        GET /api/v1/stream/{video_id}
        GET /api/v1/videos/{video_id}/cdn
        GET /api/v1/videos/{video_id}/source
        GET /api/v1/videos/{video_id}/download
        GET /api/v1/videos/{video_id}/links
        GET /api/v1/me/streams
        GET /api/v1/notifications
        GET /api/v1/notifications/stream
        GET /api/v1/me/notifications
        GET /notifications
        GET /
        GET /search
        GET /watch/{video_id}
        GET /watch/{video_id}/report
        GET /setup
        GET /login
        GET /register
        GET /verify
        GET /verify/resend
        GET /forgot
        GET /reset
        GET /account/email/confirm
        GET /upload
        GET /studio
        GET /studio/{video_id}
        GET /studio/{video_id}/delete
        GET /studio/{video_id}/file
        GET /watch/{video_id}/download
        GET /{anywhere}
    """,
    "upload": """
        POST /api/v1/uploads
        HEAD /api/v1/uploads/{upload_id}
        PATCH /api/v1/uploads/{upload_id}
        DELETE /api/v1/uploads/{upload_id}
        POST /api/v1/uploads/{upload_id}
        POST /api/v1/upload
        POST /api/v1/videos/{video_id}/source
    """,
    "manage": """
        PATCH /api/v1/videos/{video_id}
        PUT /api/v1/videos/{video_id}/poster
        POST /api/v1/videos/{video_id}/poster
        DELETE /api/v1/videos/{video_id}
        POST /api/v1/videos/{video_id}/processing
        POST /api/v1/videos/{video_id}/unlock
        POST /api/v1/videos/{video_id}/report
        POST /api/v1/videos/{video_id}/links
        DELETE /api/v1/videos/{video_id}/links/{link_id}
        DELETE /api/v1/me/streams/{stream_id}
        POST /api/v1/notifications/read
        POST /api/v1/notifications/{notification_id}/read
        PATCH /api/v1/me/notifications
        POST /api/v1/me/notifications/test
        POST /notifications/read
        POST /notifications/{notification_id}/open
        POST /api/v1/videos/{video_id}/captions
        PATCH /api/v1/videos/{video_id}/captions/{caption_id}
        DELETE /api/v1/videos/{video_id}/captions/{caption_id}
        POST /setup
        POST /login
        POST /register
        POST /verify/resend
        POST /forgot
        POST /reset
        POST /account/email/confirm
        POST /logout
        POST /studio/{video_id}
        POST /studio/{video_id}/links
        POST /studio/{video_id}/links/{link_id}/revoke
        POST /watch/{video_id}/unlock
        POST /watch/{video_id}/report
        POST /studio/{video_id}/delete
        POST /studio/{video_id}/chapters
        POST /studio/{video_id}/captions/{caption_id}
        POST /studio/{video_id}/captions/{caption_id}/delete
        POST /studio/{video_id}/poster
        POST /studio/{video_id}/processing
        POST /studio/{video_id}/file
    """,
    "admin": """
        GET /api/v1/moderation/reports
        GET /api/v1/moderation/{video_id}/reports
        GET /api/v1/admin/users
        POST /api/v1/admin/users
        GET /api/v1/admin/users/{user_id}
        PATCH /api/v1/admin/users/{user_id}
        DELETE /api/v1/admin/users/{user_id}
        POST /api/v1/admin/users/{user_id}/reset-password
        DELETE /api/v1/admin/users/{user_id}/second-factor
        GET /api/v1/admin/users/{user_id}/sessions
        DELETE /api/v1/admin/users/{user_id}/sessions
        DELETE /api/v1/admin/users/{user_id}/sessions/{session_id}
        GET /api/v1/admin/invitations
        POST /api/v1/admin/invitations
        DELETE /api/v1/admin/invitations/{invitation_id}
        GET /api/v1/admin/users/{user_id}/quota
        PUT /api/v1/admin/users/{user_id}/quota
        GET /api/v1/admin/streams
        DELETE /api/v1/admin/streams/{stream_id}
        GET /api/v1/admin/users/{user_id}/streams
        PUT /api/v1/admin/users/{user_id}/streams
        GET /api/v1/admin/mail
        POST /api/v1/admin/mail/retry
        POST /api/v1/admin/mail/{mail_id}/retry
        DELETE /api/v1/admin/mail/{mail_id}
        POST /api/v1/admin/mail/test
        GET /api/v1/admin/cdn
        POST /api/v1/videos/{video_id}/cdn
        POST /studio/{video_id}/cdn
        GET /api/v1/admin/webhooks
        POST /api/v1/admin/webhooks
        GET /api/v1/admin/webhooks/{webhook_id}
        PATCH /api/v1/admin/webhooks/{webhook_id}
        DELETE /api/v1/admin/webhooks/{webhook_id}
        POST /api/v1/admin/webhooks/{webhook_id}/rotate
        POST /api/v1/admin/webhooks/{webhook_id}/test
        GET /api/v1/admin/webhooks/{webhook_id}/deliveries
        POST /api/v1/admin/webhooks/{webhook_id}/replay
        GET /api/v1/admin/imports
        GET /api/v1/admin/imports/files
        POST /api/v1/admin/imports/scan
        POST /api/v1/admin/imports/retry
        POST /api/v1/admin/imports/files/{import_id}/retry
        DELETE /api/v1/admin/imports/files/{import_id}
        GET /api/v1/admin/jobs
        GET /api/v1/admin/jobs/{job_id}
        POST /api/v1/admin/jobs/{job_id}
        GET /api/v1/admin/audit
        GET /admin/users
        GET /admin/users/new
        POST /admin/users/new
        GET /admin/users/{user_id}
        POST /admin/users/{user_id}
        POST /admin/users/{user_id}/quota
        POST /admin/users/{user_id}/streams
        POST /admin/users/{user_id}/sessions/{session_id}/end
        GET /admin/users/{user_id}/delete
        POST /admin/users/{user_id}/delete
        GET /admin/invitations
        POST /admin/invitations
        POST /admin/invitations/{invitation_id}/revoke
        GET /admin/webhooks
        POST /admin/webhooks
        GET /admin/webhooks/{webhook_id}
        POST /admin/webhooks/{webhook_id}
        GET /admin/imports
        POST /admin/imports/scan
        POST /admin/imports/retry
        POST /admin/imports/{import_id}
        GET /admin/jobs
        POST /admin/jobs/{job_id}
        GET /admin/streams
        GET /admin/plugins
        POST /admin/streams/{stream_id}/stop
        GET /admin/mail
        POST /admin/mail/retry
        POST /admin/mail/test
        POST /admin/mail/{mail_id}/retry
        POST /admin/mail/{mail_id}/discard
        GET /admin/audit
    """,
}

NEEDED: Mapping[str, str] = {
    route.strip(): scope for scope, lines in _ROUTES.items() for route in lines.strip().splitlines()
}
"""By the route's name in the table of access: a scope, `NEVER` or `UNSEEN`."""
