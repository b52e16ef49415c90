"""Who gets which answer from every route.

A new route needs a line here. Each line has the statuses for, in this order:

    anonymous   nobody
    viewer      bob, who may only watch
    creator     carol, who may upload, and asks for what belongs to alice
    owner       alice, a creator; the private video, the upload and the session that a path names are hers
    moderator   mia, who has no more power over what is others' than a creator yet
    admin       root
    bad         somebody with a token (or, on pages, a cookie) of root's that is expired, revoked or forged

`{video_id}`, `{upload_id}`, `{session_id}`, `{token_id}`, `{invitation_id}`, and as `{user_id}` somebody else, are made
anew for every request. What is sent is enough to be let in, and for the one who is let in to get an answer that is no
refusal, wherever that is simple.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WHO = ("anonymous", "viewer", "creator", "owner", "moderator", "admin", "bad")
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
CAPTIONS = {"data": {"language": "en"}, "files": {"file": ("a.srt", b"00:00:01,000 --> 00:00:02,000\nHello")}}
WRONG = {"email": "nobody@example.org", "password": "wrong password"}
NOBODY = {"email": "nobody@example.org"}
GUESS = {"token": "guess"}
PROOF = {"password": "correct horse battery"}
NEWCOMER = {"email": "newcomer@example.org", "password": "correct horse battery", "name": "Newcomer"}


@dataclass(frozen=True, slots=True)
class Line:
    """The statuses in the order of `WHO`, and what is sent (arguments for httpx)."""

    statuses: str
    send: Mapping[str, Any] = field(default_factory=dict)

    def status(self, who: str) -> int:
        """The status that one of `WHO` gets."""
        return int(self.statuses.split()[WHO.index(who)])


TABLE: Mapping[str, Line] = {
    # operations
    "GET /livez": Line("200 200 200 200 200 200 200"),
    "GET /probez": Line("200 200 200 200 200 200 200"),
    "GET /readyz": Line("200 200 200 200 200 200 200"),
    "GET /startupz": Line("200 200 200 200 200 200 200"),
    "GET /metrics": Line("200 200 200 200 200 200 200"),
    "GET /api": Line("200 200 200 200 200 200 200"),
    "GET /api/docs": Line("200 200 200 200 200 200 200"),
    "GET /api/openapi.json": Line("200 200 200 200 200 200 200"),
    "GET /assets/{name}": Line("404 404 404 404 404 404 404"),
    "GET /brand.css": Line("200 200 200 200 200 200 200"),
    "GET /brand/{version}/{name}": Line("404 404 404 404 404 404 404"),
    "GET /site.webmanifest": Line("200 200 200 200 200 200 200"),
    # accounts
    "POST /api/v1/auth/register": Line("202 202 202 202 202 202 202", {"json": NEWCOMER}),
    "POST /api/v1/auth/login": Line("401 401 401 401 401 401 401", {"json": WRONG}),
    "POST /api/v1/auth/refresh": Line("401 401 401 401 401 401 401", {"json": {"refresh_token": "unknown"}}),
    "POST /api/v1/auth/logout": Line("401 204 204 204 204 204 401"),
    "GET /api/v1/auth/sessions": Line("401 200 200 200 200 200 401"),
    "DELETE /api/v1/auth/sessions/{session_id}": Line("401 404 404 204 404 404 401"),
    "DELETE /api/v1/auth/sessions": Line("401 204 204 204 204 204 401"),
    "POST /api/v1/auth/verify": Line("400 400 400 400 400 400 400", {"json": GUESS}),
    "POST /api/v1/auth/verify/resend": Line("202 202 202 202 202 202 202", {"json": NOBODY}),
    "POST /api/v1/auth/password/forgot": Line("202 202 202 202 202 202 202", {"json": NOBODY}),
    "POST /api/v1/auth/password/reset": Line("400 400 400 400 400 400 400", {"json": GUESS | PROOF}),
    "POST /api/v1/auth/email/confirm": Line("400 400 400 400 400 400 400", {"json": GUESS}),
    # one's own account; whoever is let in proves it by the password, but does not delete the account
    "GET /api/v1/me": Line("401 200 200 200 200 200 401"),
    "PATCH /api/v1/me": Line("401 200 200 200 200 200 401", {"json": {"name": "Other"}}),
    "POST /api/v1/me/password": Line(
        "401 204 204 204 204 204 401", {"json": PROOF | {"new_password": PROOF["password"]}}
    ),
    "POST /api/v1/me/email": Line("401 202 202 202 202 202 401", {"json": PROOF | {"email": "other@example.org"}}),
    "POST /api/v1/me/delete": Line("401 422 422 422 422 422 401", {"json": {"password": "wrong password"}}),
    "GET /api/v1/me/second-factor": Line("401 200 200 200 200 200 401"),
    "POST /api/v1/me/second-factor": Line("401 201 201 201 201 201 401", {"json": PROOF}),
    "POST /api/v1/me/second-factor/confirm": Line("401 422 422 422 422 422 401", {"json": {"otp": "wrong"}}),
    "POST /api/v1/me/second-factor/off": Line("401 409 409 409 409 409 401", {"json": PROOF}),
    "POST /api/v1/me/second-factor/recovery-codes": Line("401 409 409 409 409 409 401", {"json": PROOF}),
    "GET /api/v1/me/quota": Line("401 200 200 200 200 200 401"),
    "GET /api/v1/me/streams": Line("401 200 200 200 200 200 401"),
    "DELETE /api/v1/me/streams/{stream_id}": Line("401 404 404 404 404 404 401"),
    "GET /api/v1/me/tokens": Line("401 200 200 200 200 200 401"),
    "POST /api/v1/me/tokens": Line(
        "401 201 201 201 201 201 401", {"json": PROOF | {"name": "script", "scopes": ["read"]}}
    ),
    "DELETE /api/v1/me/tokens/{token_id}": Line("401 404 404 204 404 404 401"),
    # notifications
    "GET /api/v1/notifications": Line("401 200 200 200 200 200 401"),
    "GET /api/v1/notifications/stream": Line("401 200 200 200 200 200 401"),
    "POST /api/v1/notifications/read": Line("401 200 200 200 200 200 401"),
    "POST /api/v1/notifications/{notification_id}/read": Line("401 404 404 404 404 404 401"),
    "GET /api/v1/me/notifications": Line("401 200 200 200 200 200 401"),
    "PATCH /api/v1/me/notifications": Line("401 200 200 200 200 200 401", {"json": {}}),
    "POST /api/v1/me/notifications/test": Line("401 200 200 200 200 200 401", {"json": {"channel": "in_app"}}),
    # administration
    "GET /api/v1/admin/webhooks": Line("401 403 403 403 403 200 401"),
    "POST /api/v1/admin/webhooks": Line("401 403 403 403 403 422 401", {"json": {"url": "http://127.0.0.1/"}}),
    "GET /api/v1/admin/webhooks/{webhook_id}": Line("401 403 403 403 403 404 401"),
    "PATCH /api/v1/admin/webhooks/{webhook_id}": Line("401 403 403 403 403 404 401", {"json": {"note": "Other"}}),
    "DELETE /api/v1/admin/webhooks/{webhook_id}": Line("401 403 403 403 403 404 401"),
    "POST /api/v1/admin/webhooks/{webhook_id}/rotate": Line("401 403 403 403 403 404 401", {"json": {}}),
    "POST /api/v1/admin/webhooks/{webhook_id}/test": Line("401 403 403 403 403 404 401"),
    "GET /api/v1/admin/webhooks/{webhook_id}/deliveries": Line("401 403 403 403 403 404 401"),
    "POST /api/v1/admin/webhooks/{webhook_id}/replay": Line("401 403 403 403 403 404 401", {"json": {"delivery": "x"}}),
    "GET /api/v1/admin/users": Line("401 403 403 403 403 200 401"),
    "POST /api/v1/admin/users": Line(
        "401 403 403 403 403 201 401", {"json": NEWCOMER | {"email": "added@example.org"}}
    ),
    "GET /api/v1/admin/users/{user_id}": Line("401 403 403 403 403 200 401"),
    "PATCH /api/v1/admin/users/{user_id}": Line("401 403 403 403 403 200 401", {"json": {"role": "creator"}}),
    "DELETE /api/v1/admin/users/{user_id}": Line("401 403 403 403 403 204 401"),
    "POST /api/v1/admin/users/{user_id}/reset-password": Line("401 403 403 403 403 202 401"),
    "DELETE /api/v1/admin/users/{user_id}/second-factor": Line("401 403 403 403 403 409 401"),
    "GET /api/v1/admin/users/{user_id}/sessions": Line("401 403 403 403 403 200 401"),
    "DELETE /api/v1/admin/users/{user_id}/sessions": Line("401 403 403 403 403 204 401"),
    "DELETE /api/v1/admin/users/{user_id}/sessions/{session_id}": Line("401 403 403 403 403 404 401"),
    "GET /api/v1/admin/invitations": Line("401 403 403 403 403 200 401"),
    "POST /api/v1/admin/invitations": Line("401 403 403 403 403 201 401", {"json": {"role": "creator"}}),
    "DELETE /api/v1/admin/invitations/{invitation_id}": Line("401 403 403 403 403 204 401"),
    "GET /api/v1/admin/users/{user_id}/quota": Line("401 403 403 403 403 200 401"),
    "PUT /api/v1/admin/users/{user_id}/quota": Line("401 403 403 403 403 200 401", {"json": {"bytes": 1000}}),
    "GET /api/v1/admin/streams": Line("401 403 403 403 403 200 401"),
    "DELETE /api/v1/admin/streams/{stream_id}": Line("401 403 403 403 403 404 401"),
    "GET /api/v1/admin/users/{user_id}/streams": Line("401 403 403 403 403 200 401"),
    "PUT /api/v1/admin/users/{user_id}/streams": Line("401 403 403 403 403 200 401", {"json": {"limit": 2}}),
    "GET /api/v1/admin/mail": Line("401 403 403 403 403 200 401"),
    "POST /api/v1/admin/mail/retry": Line("401 403 403 403 403 200 401"),
    "POST /api/v1/admin/mail/{mail_id}/retry": Line("401 403 403 403 403 404 401"),
    "DELETE /api/v1/admin/mail/{mail_id}": Line("401 403 403 403 403 404 401"),
    "POST /api/v1/admin/mail/test": Line("401 403 403 403 403 200 401", {"json": {"to": "root@example.org"}}),
    "GET /api/v1/admin/audit": Line("401 403 403 403 403 200 401"),
    "GET /api/v1/admin/cdn": Line("401 403 403 403 403 200 401"),
    "GET /api/v1/admin/imports": Line("401 403 403 403 403 200 401"),
    "GET /api/v1/admin/imports/files": Line("401 403 403 403 403 200 401"),
    "POST /api/v1/admin/imports/scan": Line("401 403 403 403 403 202 401"),
    "POST /api/v1/admin/imports/retry": Line("401 403 403 403 403 200 401"),
    "POST /api/v1/admin/imports/files/{import_id}/retry": Line("401 403 403 403 403 404 401"),
    "DELETE /api/v1/admin/imports/files/{import_id}": Line("401 403 403 403 403 404 401"),
    "GET /api/v1/admin/overview": Line("401 403 403 403 403 200 401"),
    "GET /api/v1/admin/settings": Line("401 403 403 403 403 200 401"),
    "PATCH /api/v1/admin/settings": Line("401 403 403 403 403 200 401", {"json": {"unset": ["server.accent"]}}),
    "POST /api/v1/admin/restart": Line("401 403 403 403 403 409 401"),
    "GET /api/v1/admin/logo": Line("401 403 403 403 403 200 401"),
    "PUT /api/v1/admin/logo": Line("401 403 403 403 403 422 401", {"files": {"file": ("a.png", b"no picture")}}),
    "DELETE /api/v1/admin/logo": Line("401 403 403 403 403 204 401"),
    "GET /api/v1/admin/jobs": Line("401 403 403 403 403 200 401"),
    "GET /api/v1/admin/jobs/{job_id}": Line("401 403 403 403 403 404 401"),
    "POST /api/v1/admin/jobs/{job_id}": Line("401 403 403 403 403 404 401", {"json": {"action": "pause"}}),
    # recommendations
    "GET /api/v1/recommendations": Line("200 200 200 200 200 200 401"),
    "GET /api/v1/recommendations/dismissed": Line("401 200 200 200 200 200 401"),
    "GET /api/v1/recommendations/settings": Line("401 200 200 200 200 200 401"),
    "PATCH /api/v1/recommendations/settings": Line("401 200 200 200 200 200 401", {"json": {"personal": True}}),
    "POST /api/v1/recommendations/reset": Line("401 200 200 200 200 200 401"),
    "GET /api/v1/videos/{video_id}/related": Line("404 404 404 200 404 200 401"),
    "POST /api/v1/videos/{video_id}/dismiss": Line("401 404 404 204 404 204 401"),
    "DELETE /api/v1/videos/{video_id}/dismiss": Line("401 204 204 204 204 204 401"),
    # videos
    "GET /api/v1/videos": Line("200 200 200 200 200 200 401"),
    "GET /api/v1/search": Line("200 200 200 200 200 200 401", {"params": {"q": "film"}}),
    # one's own shelves
    "GET /api/v1/videos/{video_id}/opinion": Line("404 404 404 200 404 200 401"),
    "PUT /api/v1/me/likes/{video_id}": Line("401 404 404 200 404 200 401"),
    "DELETE /api/v1/me/likes/{video_id}": Line("401 200 200 200 200 200 401"),
    "PUT /api/v1/me/watch-later/{video_id}": Line("401 404 404 200 404 200 401"),
    "DELETE /api/v1/me/watch-later/{video_id}": Line("401 200 200 200 200 200 401"),
    "GET /api/v1/me/likes": Line("401 200 200 200 200 200 401"),
    "GET /api/v1/me/watch-later": Line("401 200 200 200 200 200 401"),
    "GET /api/v1/me/history": Line("401 200 200 200 200 200 401"),
    "DELETE /api/v1/me/history": Line("401 204 204 204 204 204 401"),
    "DELETE /api/v1/me/history/{video_id}": Line("401 204 204 204 204 204 401"),
    "GET /api/v1/me/history/recording": Line("401 200 200 200 200 200 401"),
    "PUT /api/v1/me/history/recording": Line("401 200 200 200 200 200 401", {"json": {"recording": True}}),
    "GET /library": Line("303 303 303 303 303 303 303"),
    "GET /library/{shelf}": Line("303 303 303 303 303 303 303"),
    "GET /library/history": Line("303 200 200 200 200 200 303"),
    "POST /library/history": Line("401 303 303 303 303 303 401", {"data": {"do": "go-on"}}),
    "POST /watch/{video_id}/keep": Line("401 404 404 303 404 303 401", {"data": {"do": "like"}}),
    # search
    "GET /api/v1/search/suggest": Line("200 200 200 200 200 200 401", {"params": {"q": "film"}}),
    "GET /api/v1/videos/{video_id}": Line("404 404 404 200 404 200 401"),
    "PATCH /api/v1/videos/{video_id}": Line("401 404 404 200 404 200 401", {"json": {"title": "New"}}),
    "DELETE /api/v1/videos/{video_id}": Line("401 404 404 204 404 204 401"),
    "POST /api/v1/videos/{video_id}/restore": Line("401 404 404 404 404 404 401"),
    "POST /api/v1/videos/bulk": Line("401 200 200 200 200 200 401", {"json": {"videos": ["x"], "action": "trash"}}),
    "GET /api/v1/me/trash": Line("401 200 200 200 200 200 401"),
    "DELETE /api/v1/me/trash": Line("401 200 200 200 200 200 401"),
    "GET /api/v1/videos/{video_id}/events": Line("404 404 404 200 404 200 401"),
    "POST /api/v1/videos/{video_id}/source": Line(
        "401 403 404 202 404 404 401", {"files": {"file": ("film.mp4", b"no film")}}
    ),
    "GET /api/v1/videos/{video_id}/source": Line("401 404 404 409 404 409 401"),
    "GET /api/v1/videos/{video_id}/download": Line("404 404 404 409 404 409 401"),
    "POST /api/v1/videos/{video_id}/processing": Line("401 404 404 409 404 409 401", {"json": {"action": "cancel"}}),
    "GET /api/v1/videos/{video_id}/captions": Line("404 404 404 200 404 200 401"),
    "POST /api/v1/videos/{video_id}/captions": Line("401 404 404 201 404 201 401", CAPTIONS),
    "PATCH /api/v1/videos/{video_id}/captions/{caption_id}": Line(
        "401 404 404 404 404 404 401", {"json": {"label": "Other"}}
    ),
    "DELETE /api/v1/videos/{video_id}/captions/{caption_id}": Line("401 404 404 404 404 404 401"),
    "GET /api/v1/videos/{video_id}/posters": Line("401 404 404 200 404 200 401"),
    "GET /api/v1/videos/{video_id}/posters/{number}": Line("401 404 404 404 404 404 401"),
    "PUT /api/v1/videos/{video_id}/poster": Line("401 404 404 200 404 200 401", {"json": {"candidate": None}}),
    "POST /api/v1/videos/{video_id}/poster": Line("401 404 404 422 404 422 401", {"files": {"file": ("p.jpg", b"no")}}),
    "GET /api/v1/videos/{video_id}/cdn": Line("401 404 404 200 404 200 401"),
    "POST /api/v1/videos/{video_id}/cdn": Line("401 403 403 403 403 409 401", {"json": {"action": "sync"}}),
    "POST /api/v1/events": Line(
        "404 404 404 404 404 404 401", {"json": {"session": "s", "video": "nothing", "events": []}}
    ),
    "GET /api/v1/videos/{video_id}/analytics": Line("401 404 404 200 404 200 401"),
    "GET /api/v1/analytics": Line("401 200 200 200 200 200 401"),
    "GET /studio/{video_id}/analytics": Line("303 404 404 200 404 200 303"),
    "GET /studio/analytics": Line("303 200 200 200 200 200 303"),
    "GET /admin/analytics": Line("303 403 403 403 403 200 303"),
    "GET /api/v1/stream/{video_id}": Line("404 404 404 200 404 200 401"),
    "GET /api/v1/moderation/reports": Line("401 403 403 403 200 200 401"),
    "GET /api/v1/moderation/{video_id}/reports": Line("401 403 403 403 200 200 401"),
    "POST /api/v1/videos/{video_id}/unlock": Line("404 404 404 404 404 404 401", {"json": {"password": "a guess"}}),
    "GET /api/v1/videos/{video_id}/links": Line("401 404 404 200 404 200 401"),
    "POST /api/v1/videos/{video_id}/links": Line(
        "401 404 404 201 404 201 401", {"json": {"expires_at": "2030-01-01T00:00:00Z"}}
    ),
    "DELETE /api/v1/videos/{video_id}/links/{link_id}": Line("401 404 404 404 404 404 401"),
    # moderation
    "GET /api/v1/moderation/queue": Line("401 403 403 403 200 200 401"),
    "GET /api/v1/moderation/decisions": Line("401 403 403 403 200 200 401"),
    "POST /api/v1/moderation/claim": Line("401 403 403 403 409 409 401"),
    "GET /api/v1/moderation/{video_id}": Line("401 403 403 403 404 200 401"),
    "POST /api/v1/moderation/{video_id}": Line("401 403 403 403 404 200 401", {"json": {"decision": "approve"}}),
    "POST /api/v1/moderation/{video_id}/undo": Line("401 403 403 403 404 409 401"),
    "POST /api/v1/moderation/{video_id}/claim": Line("401 403 403 403 404 409 401"),
    "DELETE /api/v1/moderation/{video_id}/claim": Line("401 403 403 403 404 204 401"),
    "POST /api/v1/moderation/{video_id}/screen": Line("401 403 403 403 404 202 401"),
    "GET /api/v1/moderation/{video_id}/evidence/{verdict_id}/{number}": Line("401 403 403 403 404 404 401"),
    "GET /api/v1/moderation/policy": Line("401 403 403 403 200 200 401"),
    "PUT /api/v1/moderation/policy": Line("401 403 403 403 403 200 401", {"json": {"profile": "private-home"}}),
    "GET /api/v1/moderation/rescreens": Line("401 403 403 403 200 200 401"),
    "POST /api/v1/moderation/rescreens": Line("401 403 403 403 403 202 401"),
    "GET /api/v1/moderation/rescreens/{rescreen_id}": Line("401 403 403 403 404 404 401"),
    "GET /api/v1/moderation/rescreens/{rescreen_id}/changes": Line("401 403 403 403 404 404 401"),
    "POST /api/v1/moderation/rescreens/{rescreen_id}/apply": Line("401 403 403 403 403 404 401"),
    "DELETE /api/v1/moderation/rescreens/{rescreen_id}": Line("401 403 403 403 403 404 401"),
    # after the queue was empty
    "POST /api/v1/videos/{video_id}/report": Line("404 404 404 202 404 202 401", {"json": {"reason": "spam", "at": 1}}),
    # uploads
    "OPTIONS /api/v1/uploads": Line("204 204 204 204 204 204 204"),
    "POST /api/v1/uploads": Line("401 403 201 201 201 201 401", {"headers": TUS | {"Upload-Length": "3"}}),
    "OPTIONS /api/v1/uploads/{upload_id}": Line("204 204 204 204 204 204 204"),
    "HEAD /api/v1/uploads/{upload_id}": Line("401 403 404 200 404 404 401", {"headers": TUS}),
    "PATCH /api/v1/uploads/{upload_id}": Line("401 403 404 204 404 404 401", {"headers": CHUNK, "content": b"ab"}),
    "DELETE /api/v1/uploads/{upload_id}": Line("401 403 404 204 404 404 401", {"headers": TUS}),
    "POST /api/v1/uploads/{upload_id}": Line(
        "401 403 404 204 404 404 401", {"headers": TUS | {"X-HTTP-Method-Override": "DELETE"}}
    ),
    "POST /api/v1/upload": Line("401 403 202 202 202 202 401", {"files": {"file": ("film.mp4", b"no film")}}),
    # pages; nobody is sent to the sign-in page by 303
    "GET /": Line("200 200 200 200 200 200 200"),
    "GET /search": Line("200 200 200 200 200 200 200"),
    "GET /watch/{video_id}": Line("404 404 404 200 404 200 404"),
    "GET /watch/{video_id}/report": Line("404 404 404 200 404 200 404"),
    "POST /watch/{video_id}/report": Line("404 404 404 303 404 303 404", {"data": {"reason": "spam"}}),
    "GET /watch/{video_id}/poster.jpg": Line("404 404 404 404 404 404 404"),
    "GET /embed/{video_id}": Line("404 404 404 404 404 404 404"),
    "GET /oembed": Line("404 404 404 404 404 404 404"),
    "GET /feeds/{name}": Line("404 404 404 404 404 404 404"),
    "GET /sitemap.xml": Line("200 200 200 200 200 200 200"),
    "GET /robots.txt": Line("200 200 200 200 200 200 200"),
    "GET /.well-known/security.txt": Line("404 404 404 404 404 404 404"),
    "GET /.well-known/change-password": Line("302 302 302 302 302 302 302"),
    # the desk
    "GET /moderation": Line("303 403 403 403 200 200 303"),
    "GET /moderation/next": Line("303 403 403 403 303 303 303"),
    "GET /moderation/decided": Line("303 403 403 403 200 200 303"),
    "GET /moderation/{video_id}": Line("303 403 403 403 404 200 303"),
    "GET /moderation/{video_id}/reject": Line("303 403 403 403 404 200 303"),
    "POST /moderation/{video_id}": Line("401 403 403 403 404 303 401", {"data": {"do": "approve"}}),
    "GET /moderation/rescreen": Line("303 403 403 403 403 200 303"),
    "POST /moderation/rescreen": Line("401 403 403 403 403 404 401", {"data": {"do": "nothing"}}),
    "GET /admin/moderation": Line("303 403 403 403 403 200 303"),
    "POST /admin/moderation": Line("401 403 403 403 403 422 401", {"data": {"profile": "none"}}),
    "POST /watch/{video_id}/unlock": Line("404 404 404 404 404 404 404", {"data": {"password": "a guess"}}),
    "GET /account/recommendations": Line("303 200 200 200 200 200 303"),
    "POST /account/recommendations": Line("401 303 303 303 303 303 401", {"data": {"personal": "1"}}),
    "POST /account/recommendations/reset": Line("401 303 303 303 303 303 401"),
    "POST /account/recommendations/{video_id}/back": Line("401 303 303 303 303 303 401"),
    "GET /account/streams": Line("303 200 200 200 200 200 303"),
    "POST /account/streams/{stream_id}/stop": Line("401 404 404 404 404 404 401"),
    "GET /admin": Line("303 403 403 403 403 200 303"),
    "GET /admin/settings": Line("303 403 403 403 403 200 303"),
    "GET /admin/settings/{section}": Line("303 403 403 403 403 200 303"),
    "POST /admin/settings/{section}": Line("401 403 403 403 403 303 401", {"data": {"reset": "server.accent"}}),
    "POST /admin/restart": Line("401 403 403 403 403 409 401"),
    "GET /admin/branding": Line("303 403 403 403 403 200 303"),
    "POST /admin/branding": Line("401 403 403 403 403 303 401", {"data": {"name": "streamhost"}}),
    "POST /admin/branding/logo/remove": Line("401 403 403 403 403 303 401"),
    "GET /admin/branding/swatches.css": Line("303 403 403 403 403 200 303"),
    "GET /admin/plugins": Line("303 403 403 403 403 200 303"),
    "GET /admin/streams": Line("303 403 403 403 403 200 303"),
    "POST /admin/streams/{stream_id}/stop": Line("401 403 403 403 403 404 401"),
    "POST /studio/{video_id}/cdn": Line("401 403 403 403 403 409 401", {"data": {"action": "sync"}}),
    "POST /studio/{video_id}/links": Line("401 404 404 303 404 303 401", {"data": {"days": "7"}}),
    "POST /studio/{video_id}/links/{link_id}/revoke": Line("401 404 404 404 404 404 401"),
    "GET /setup": Line("404 404 404 404 404 404 404"),
    "POST /setup": Line("403 403 403 403 403 403 403", {"data": {**NEWCOMER, "token": "guess"}}),
    "GET /login": Line("200 303 303 303 303 303 200"),
    "POST /login": Line("401 401 401 401 401 401 401", {"data": WRONG | {"email": "nobody@pages.example"}}),
    "GET /register": Line("200 200 200 200 200 200 200"),
    "POST /register": Line("200 200 200 200 200 200 200", {"data": NEWCOMER}),
    "GET /verify": Line("400 400 400 400 400 400 400", {"params": GUESS}),
    "GET /verify/resend": Line("200 200 200 200 200 200 200"),
    "POST /verify/resend": Line("200 200 200 200 200 200 200", {"data": NOBODY}),
    "GET /forgot": Line("200 200 200 200 200 200 200"),
    "POST /forgot": Line("200 200 200 200 200 200 200", {"data": NOBODY}),
    "GET /reset": Line("400 400 400 400 400 400 400", {"params": GUESS}),
    "POST /reset": Line("400 400 400 400 400 400 400", {"data": GUESS | PROOF}),
    "GET /account/email/confirm": Line("200 200 200 200 200 200 200"),
    "POST /account/email/confirm": Line("400 400 400 400 400 400 400", {"data": GUESS}),
    "GET /account": Line("303 200 200 200 200 200 303"),
    "POST /account/name": Line("401 303 303 303 303 303 401", {"data": {"name": "Other"}}),
    "POST /account/email": Line("401 303 303 303 303 303 401", {"data": PROOF | {"email": "other@pages.example"}}),
    "GET /account/security": Line("303 200 200 200 200 200 303"),
    "POST /account/password": Line(
        "401 303 303 303 303 303 401", {"data": PROOF | {"new_password": PROOF["password"]}}
    ),
    "POST /account/sessions/{session_id}/end": Line("401 404 404 303 404 404 401"),
    "POST /account/sessions/end": Line("401 303 303 303 303 303 401"),
    "GET /account/second-factor": Line("303 200 200 200 200 200 303"),
    "POST /account/second-factor": Line("401 200 200 200 200 200 401", {"data": PROOF}),
    "POST /account/second-factor/confirm": Line("401 422 422 422 422 422 401", {"data": {"otp": "wrong"}}),
    "POST /account/second-factor/codes": Line("401 409 409 409 409 409 401", {"data": PROOF}),
    "POST /account/second-factor/off": Line("401 409 409 409 409 409 401", {"data": PROOF}),
    "GET /account/tokens": Line("303 200 200 200 200 200 303"),
    "POST /account/tokens": Line(
        "401 200 200 200 200 200 401", {"data": PROOF | {"name": "script", "scope_read": "on", "days": "30"}}
    ),
    "POST /account/tokens/{token_id}/revoke": Line("401 404 404 303 404 404 401"),
    "GET /notifications": Line("303 200 200 200 200 200 303"),
    "POST /notifications/read": Line("401 303 303 303 303 303 401"),
    "POST /notifications/{notification_id}/open": Line("401 404 404 404 404 404 401"),
    "GET /account/notifications": Line("303 200 200 200 200 200 303"),
    "POST /account/notifications": Line("401 303 303 303 303 303 401"),
    "POST /account/notifications/test": Line("401 303 303 303 303 303 401", {"data": {"channel": "in_app"}}),
    "GET /unsubscribe": Line("400 400 400 400 400 400 400", {"params": GUESS}),
    "POST /unsubscribe": Line("400 400 400 400 400 400 400", {"params": GUESS}),
    "GET /account/delete": Line("303 200 200 200 200 200 303"),
    "POST /account/delete": Line("401 422 422 422 422 422 401", {"data": {"password": "wrong password"}}),
    "GET /admin/users": Line("303 403 403 403 403 200 303"),
    "GET /admin/users/new": Line("303 403 403 403 403 200 303"),
    "POST /admin/users/new": Line(
        "401 403 403 403 403 303 401", {"data": NEWCOMER | {"email": "made@pages.example", "role": "viewer"}}
    ),
    "GET /admin/users/{user_id}": Line("303 403 403 403 403 200 303"),
    "POST /admin/users/{user_id}": Line("401 403 403 403 403 303 401", {"data": {"do": "role", "role": "creator"}}),
    "POST /admin/users/{user_id}/streams": Line("401 403 403 403 403 303 401", {"data": {"limit": "2"}}),
    "POST /admin/users/{user_id}/quota": Line("401 403 403 403 403 303 401", {"data": {"gigabytes": "1.5"}}),
    "POST /admin/users/{user_id}/sessions/{session_id}/end": Line("401 403 403 403 403 404 401"),
    "GET /admin/users/{user_id}/delete": Line("303 403 403 403 403 200 303"),
    "POST /admin/users/{user_id}/delete": Line("401 403 403 403 403 303 401"),
    "GET /admin/webhooks": Line("303 403 403 403 403 200 303"),
    "POST /admin/webhooks": Line("401 403 403 403 403 422 401", {"data": {"url": "http://127.0.0.1/"}}),
    "GET /admin/webhooks/{webhook_id}": Line("303 403 403 403 403 404 303"),
    "POST /admin/webhooks/{webhook_id}": Line("401 403 403 403 403 404 401", {"data": {"do": "test"}}),
    "GET /admin/invitations": Line("303 403 403 403 403 200 303"),
    "POST /admin/invitations": Line(
        "401 403 403 403 403 200 401", {"data": {"role": "viewer", "uses": "1", "days": "7"}}
    ),
    "POST /admin/invitations/{invitation_id}/revoke": Line("401 403 403 403 403 303 401"),
    "GET /admin/mail": Line("303 403 403 403 403 200 303"),
    "POST /admin/mail/retry": Line("401 403 403 403 403 303 401"),
    "POST /admin/mail/test": Line("401 403 403 403 403 503 401"),
    "POST /admin/mail/{mail_id}/retry": Line("401 403 403 403 403 404 401"),
    "POST /admin/mail/{mail_id}/discard": Line("401 403 403 403 403 404 401"),
    "GET /admin/audit": Line("303 403 403 403 403 200 303"),
    "GET /admin/imports": Line("303 403 403 403 403 200 303"),
    "POST /admin/imports/scan": Line("401 403 403 403 403 303 401"),
    "POST /admin/imports/retry": Line("401 403 403 403 403 303 401"),
    "POST /admin/imports/{import_id}": Line("401 403 403 403 403 404 401"),
    "GET /admin/jobs": Line("303 403 403 403 403 200 303"),
    "POST /admin/jobs/{job_id}": Line("401 403 403 403 403 404 401", {"data": {"do": "pause"}}),
    "GET /watch/{video_id}/download": Line("404 404 404 409 404 409 404"),
    "POST /studio/{video_id}/processing": Line("401 404 404 409 404 409 401", {"data": {"do": "cancel"}}),
    "GET /studio/{video_id}/file": Line("303 404 404 200 404 200 303"),
    "POST /studio/{video_id}/file": Line("401 404 404 303 404 303 401", {"data": {"rule": "always"}}),
    "POST /logout": Line("303 303 303 303 303 303 303"),
    "GET /upload": Line("303 403 200 200 200 200 303"),
    "GET /studio": Line("303 200 200 200 200 200 303"),
    "GET /studio/{video_id}": Line("303 404 404 200 404 200 303"),
    "POST /studio/{video_id}": Line("401 404 404 303 404 303 401", {"data": {"title": "New", "visibility": "private"}}),
    "POST /studio/{video_id}/chapters": Line("401 404 404 303 404 303 401", {"data": {"chapters": "0:00 Start"}}),
    "POST /studio/{video_id}/captions/{caption_id}": Line("401 404 404 404 404 404 401", {"data": {"default": "true"}}),
    "POST /studio/{video_id}/captions/{caption_id}/delete": Line("401 404 404 404 404 404 401"),
    "GET /studio/{video_id}/delete": Line("303 404 404 200 404 200 303"),
    "POST /studio/{video_id}/poster": Line("401 404 404 422 404 422 401", {"data": {"candidate": "0"}}),
    "POST /studio/{video_id}/delete": Line("401 404 404 303 404 303 401"),
    "POST /studio/many": Line("401 409 409 409 409 409 401", {"data": {"video": "x", "do": "trash"}}),
    "GET /studio/trash": Line("303 200 200 200 200 200 303"),
    "GET /studio/trash/empty": Line("303 200 200 200 200 200 303"),
    "POST /studio/trash/empty": Line("401 303 303 303 303 303 401"),
    "GET /studio/trash/{video_id}/delete": Line("303 404 404 404 404 404 303"),
    "POST /studio/trash/{video_id}/delete": Line("401 404 404 404 404 404 401"),
    "GET /{anywhere}": Line("404 404 404 404 404 404 404"),
}
