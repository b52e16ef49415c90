"""Every page of the site: its route, and the addresses at which it is looked at, empty and wrong ones too.

A new page needs a line here; `tests/house/test_pages.py` compares this list with the routes of the application, and the
names of all looks with the templates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "web" / "templates"


def page_templates() -> frozenset[str]:
    """The templates of whole pages, as pages say their names; what others extend is only a part of them."""
    files = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.html")}
    extended = {name for text in files.values() for name in re.findall(r'{% extends "(\w+)\.html" %}', text)}
    return frozenset(name.replace("_", "-") for name in files.keys() - extended)


TEMPLATES = page_templates()


def template_of(name: str) -> str:
    """Which template a look of this name shows: the longest one with which the name begins; empty for none."""
    return max((one for one in TEMPLATES if f"{name}-".startswith(f"{one}-")), key=len, default="")


@dataclass(frozen=True, slots=True)
class View:
    """One address of a page. `name` begins with that of its template. `who` opens it: `root`, who has a video, `eve`,
    an administrator who has nothing, or nobody. `status`: what the server answers. `restless`: it would ask again by
    itself. In the path stand `{video}`, which plays, and a `{rendition}` of it, `{failed}`, which does not,
    `{trashed}`, which waits in the trash, `{user}` with a long name, and `{hook}`."""

    name: str
    path: str
    who: str = "root"
    status: int = 200
    restless: bool = False


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
        View("error-watch", "/watch/0000000000000000", "", 404),
    ),
    "/watch/{video_id}/report": (View("report", "/watch/{video}/report", "eve"),),
    "/watch/{video_id}/download": (
        View("download", "/watch/{video}/download?rendition={rendition}", restless=True),
        View("error-download", "/watch/{failed}/download", status=409),
    ),
    "/embed/{video_id}": (
        View("embed", "/embed/{video}", ""),
        View("embed-closed", "/embed/0000000000000000", "", 404),
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
    "/studio/trash/empty": (View("delete-all-trash", "/studio/trash/empty"),),
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
        View("register-refused", "/register?invitation=made-up", "", 403),
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
    "/account/recommendations": (View("recommendations", "/account/recommendations"),),
    "/account/streams": (View("streams", "/account/streams"),),
    "/account/delete": (View("delete-account", "/account/delete"),),
    "/moderation": (
        View("moderation-queue", "/moderation"),
        View("moderation-queue-filtered", "/moderation?cause=changed"),
    ),
    "/moderation/{video_id}": (View("moderation-case", "/moderation/{video}"),),
    "/moderation/{video_id}/reject": (View("moderation-reject", "/moderation/{video}/reject"),),
    "/moderation/decided": (View("moderation-decided", "/moderation/decided"),),
    "/moderation/rescreen": (View("moderation-rescreen", "/moderation/rescreen"),),
    "/admin": (View("admin", "/admin"),),
    "/admin/settings": (View("admin-settings", "/admin/settings"),),
    "/admin/settings/{section}": (
        View("admin-settings-table", "/admin/settings/storage"),
        View("admin-settings-table-mail", "/admin/settings/mail"),
        View("error-settings", "/admin/settings/nothing", status=404),
    ),
    "/admin/branding": (View("admin-branding", "/admin/branding"),),
    "/admin/storage": (View("admin-storage", "/admin/storage"),),
    "/admin/trash": (
        View("admin-trash", "/admin/trash"),
        View("admin-trash-of-nobody", "/admin/trash?user=0000000000000000"),
    ),
    "/admin/models": (View("admin-models", "/admin/models"),),
    "/setup/policy": (View("setup-policy", "/setup/policy"),),
    "/setup/storage": (View("setup-storage", "/setup/storage"),),
    "/setup/mail": (View("setup-mail", "/setup/mail"),),
    "/setup/models": (View("setup-models", "/setup/models"),),
    "/setup/done": (View("setup-done", "/setup/done"),),
    "/admin/moderation": (View("admin-moderation", "/admin/moderation"),),
    "/admin/users": (View("admin-users", "/admin/users"), View("admin-users-none", "/admin/users?q=zzzz")),
    "/admin/users/new": (View("admin-add-user", "/admin/users/new"),),
    "/admin/users/{user_id}": (View("admin-user", "/admin/users/{user}"),),
    "/admin/users/{user_id}/delete": (View("admin-delete-user", "/admin/users/{user}/delete"),),
    "/admin/invitations": (View("admin-invitations", "/admin/invitations"),),
    "/admin/mail": (View("admin-mail", "/admin/mail"),),
    "/admin/audit": (View("admin-audit", "/admin/audit"), View("admin-audit-none", "/admin/audit?act=user_deleted")),
    "/admin/imports": (
        View("admin-imports", "/admin/imports"),
        View("admin-imports-none", "/admin/imports?state=duplicate"),
    ),
    "/admin/jobs": (
        View("admin-jobs", "/admin/jobs?state=failed"),
        View("admin-jobs-none", "/admin/jobs?state=paused"),
    ),
    "/admin/plugins": (View("admin-plugins", "/admin/plugins"),),
    "/admin/streams": (View("admin-streams", "/admin/streams"),),
    "/admin/analytics": (View("admin-analytics", "/admin/analytics"),),
    "/admin/webhooks": (View("admin-webhooks", "/admin/webhooks"),),
    "/admin/webhooks/{webhook_id}": (
        View("admin-webhook", "/admin/webhooks/{hook}"),
        View("error-webhook", "/admin/webhooks/0000000000000000", status=404),
    ),
    "/{anywhere}": (
        View("error-no-such-page", "/there/is/nothing", status=404),
        View("error-not-yours", "/admin", "bob", 403),
    ),
}
"""By route. `bob` may only watch."""

ELSEWHERE: Mapping[str, str] = {
    "/library": "leads on to a shelf",
    "/admin/branding/swatches.css": "is a style sheet for a page",
    "/moderation/next": "leads on to the case that waits longest",
}
"""Routes for browsers that show nothing of their own, and why."""
