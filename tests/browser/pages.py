"""Every page of the site: its route, and the addresses at which it is looked at, empty and wrong ones too.

A new page needs a line here; `tests/house/test_pages.py` compares this list with the routes of the application.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """One address of a page. `who` opens it: `root`, who has a video, `eve`, an administrator who has nothing, or
    nobody. `status`: what the server answers. In the path stand `{video}`, which plays, `{failed}`, which does not,
    `{trashed}`, which waits in the trash, `{user}` with a long name, and `{hook}`."""

    name: str
    path: str
    who: str = "root"
    status: int = 200


PAGES: Mapping[str, tuple[View, ...]] = {
    "/": (View("home", "/"), View("home-of-a-stranger", "/", ""), View("home-page-2", "/?cursor=", "eve")),
    "/search": (
        View("search", "/search?q=rabbit"),
        View("search-nothing-found", "/search?q=zzzz"),
        View("search-empty", "/search", ""),
    ),
    "/watch/{video_id}": (
        View("watch", "/watch/{video}"),
        View("watch-as-a-stranger", "/watch/{video}", ""),
        View("watch-failed", "/watch/{failed}"),
        View("watch-nothing", "/watch/0000000000000000", "", 404),
    ),
    "/watch/{video_id}/report": (View("report", "/watch/{video}/report", "eve"),),
    "/watch/{video_id}/download": (View("download-refused", "/watch/{failed}/download", status=409),),
    "/embed/{video_id}": (
        View("embed", "/embed/{video}", ""),
        View("embed-of-nothing", "/embed/0000000000000000", "", 404),
    ),
    "/library/{shelf}": (
        View("library-later", "/library/later"),
        View("library-likes", "/library/likes"),
        View("library-later-empty", "/library/later", "eve"),
        View("library-likes-empty", "/library/likes", "eve"),
    ),
    "/library/history": (
        View("library-history", "/library/history"),
        View("library-history-empty", "/library/history", "eve"),
    ),
    "/upload": (View("upload", "/upload"),),
    "/studio": (View("studio", "/studio"), View("studio-empty", "/studio", "eve")),
    "/studio/{video_id}": (View("edit", "/studio/{video}"), View("edit-failed", "/studio/{failed}")),
    "/studio/trash": (View("trash", "/studio/trash"), View("trash-empty", "/studio/trash", "eve")),
    "/studio/{video_id}/chapters": (
        View("chapters", "/studio/{video}/chapters"),
        View("chapters-failed", "/studio/{failed}/chapters"),
    ),
    "/studio/trash/empty": (View("empty-the-trash", "/studio/trash/empty"),),
    "/studio/trash/{video_id}/delete": (View("delete-for-good", "/studio/trash/{trashed}/delete"),),
    "/studio/{video_id}/delete": (View("delete", "/studio/{video}/delete"),),
    "/studio/{video_id}/file": (View("file", "/studio/{video}/file"),),
    "/studio/{video_id}/analytics": (View("analytics-of-a-video", "/studio/{video}/analytics"),),
    "/studio/analytics": (
        View("analytics", "/studio/analytics"),
        View("analytics-empty", "/studio/analytics", "eve"),
    ),
    "/notifications": (View("notifications", "/notifications"), View("notifications-empty", "/notifications", "eve")),
    "/setup": (View("setup-refused", "/setup?token=wrong", "", 404),),
    "/login": (View("login", "/login", ""), View("login-verified", "/login?done=verified", "")),
    "/register": (
        View("register", "/register", ""),
        View("invitation-refused", "/register?invitation=made-up", "", 403),
    ),
    "/verify": (View("verify-refused", "/verify?token=guess", "", 400),),
    "/verify/resend": (View("resend", "/verify/resend", ""),),
    "/forgot": (View("forgot", "/forgot", ""),),
    "/reset": (View("reset-refused", "/reset?token=guess", "", 400),),
    "/unsubscribe": (View("unsubscribe-refused", "/unsubscribe?token=guess", "", 400),),
    "/account/email/confirm": (View("confirm-email", "/account/email/confirm?token=guess", ""),),
    "/account": (View("account", "/account?done=name"),),
    "/account/security": (View("security", "/account/security"),),
    "/account/second-factor": (View("second-factor", "/account/second-factor"),),
    "/account/tokens": (View("tokens", "/account/tokens"), View("tokens-empty", "/account/tokens", "eve")),
    "/account/notifications": (View("account-notifications", "/account/notifications"),),
    "/account/recommendations": (View("account-recommendations", "/account/recommendations"),),
    "/account/streams": (View("account-streams", "/account/streams"),),
    "/account/delete": (View("delete-account", "/account/delete"),),
    "/moderation": (View("desk", "/moderation"), View("desk-nothing", "/moderation?cause=changed")),
    "/moderation/{video_id}": (View("desk-case", "/moderation/{video}"),),
    "/moderation/{video_id}/reject": (View("desk-reject", "/moderation/{video}/reject"),),
    "/moderation/decided": (View("desk-decided", "/moderation/decided"),),
    "/moderation/rescreen": (View("desk-rescreen", "/moderation/rescreen"),),
    "/admin": (View("admin", "/admin"),),
    "/admin/settings": (View("admin-settings", "/admin/settings"),),
    "/admin/settings/{section}": (
        View("settings-of-storage", "/admin/settings/storage"),
        View("settings-of-mail", "/admin/settings/mail"),
        View("settings-of-nothing", "/admin/settings/nothing", status=404),
    ),
    "/admin/branding": (View("branding", "/admin/branding"),),
    "/admin/storage": (View("storage", "/admin/storage"),),
    "/admin/trash": (
        View("admin-trash", "/admin/trash"),
        View("admin-trash-of-nobody", "/admin/trash?user=0000000000000000"),
    ),
    "/admin/models": (View("models", "/admin/models"),),
    "/setup/policy": (View("setup-policy", "/setup/policy"),),
    "/setup/storage": (View("setup-storage", "/setup/storage"),),
    "/setup/mail": (View("setup-mail", "/setup/mail"),),
    "/setup/models": (View("setup-models", "/setup/models"),),
    "/setup/done": (View("setup-done", "/setup/done"),),
    "/admin/moderation": (View("admin-policy", "/admin/moderation"),),
    "/admin/users": (View("users", "/admin/users"), View("users-none", "/admin/users?q=zzzz")),
    "/admin/users/new": (View("add-user", "/admin/users/new"),),
    "/admin/users/{user_id}": (View("user", "/admin/users/{user}"),),
    "/admin/users/{user_id}/delete": (View("delete-user", "/admin/users/{user}/delete"),),
    "/admin/invitations": (View("invitations", "/admin/invitations"),),
    "/admin/mail": (View("mail", "/admin/mail"),),
    "/admin/audit": (View("audit", "/admin/audit"), View("audit-none", "/admin/audit?act=user_deleted")),
    "/admin/imports": (View("imports", "/admin/imports"), View("imports-none", "/admin/imports?state=duplicate")),
    "/admin/jobs": (View("jobs", "/admin/jobs?state=failed"), View("jobs-none", "/admin/jobs?state=paused")),
    "/admin/plugins": (View("plugins", "/admin/plugins"),),
    "/admin/streams": (View("streams", "/admin/streams"),),
    "/admin/analytics": (View("admin-analytics", "/admin/analytics"),),
    "/admin/webhooks": (View("webhooks", "/admin/webhooks"),),
    "/admin/webhooks/{webhook_id}": (
        View("webhook", "/admin/webhooks/{hook}"),
        View("webhook-gone", "/admin/webhooks/0000000000000000", status=404),
    ),
    "/{anywhere}": (
        View("no-such-page", "/there/is/nothing", status=404),
        View("not-yours", "/admin", "bob", 403),
    ),
}
"""By route. `bob` may only watch."""

ELSEWHERE: Mapping[str, str] = {
    "/library": "leads on to a shelf",
    "/admin/branding/swatches.css": "is a style sheet for a page",
    "/moderation/next": "leads on to the case that waits longest",
}
"""Routes for browsers that show nothing of their own, and why."""
