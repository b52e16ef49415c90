"""The real application with one of everybody and of everything, and every kind of proof of who asks, good and bad."""

from __future__ import annotations

import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import httpx
from litestar import Litestar

from streamhost.config import load
from streamhost.features.accounts import AccountKeys, SignIn
from streamhost.features.accounts.api_tokens import NewApiToken
from streamhost.features.accounts.tokens import AccessTokens, SignedNames
from streamhost.host import Host
from streamhost.instance import Purpose, open_instance
from streamhost.model.accounts import Role, Scope, User
from streamhost.model.audit import SYSTEM, Actor
from streamhost.model.clock import HOUR
from streamhost.model.ids import VideoId, new_id
from streamhost.server.auth import SESSION_COOKIE, VISIT_COOKIE
from streamhost.server.csrf import SAFE_METHODS, make_token
from streamhost.testing.house import QUICK, at_work
from tests.flows.access_table import TABLE
from tests.support.catalogs import instance_at
from tests.support.house import PASSWORD, brief, private_video

CAST = {
    "viewer": Role.VIEWER,
    "creator": Role.CREATOR,
    "owner": Role.CREATOR,
    "moderator": Role.MODERATOR,
    "admin": Role.ADMIN,
}
VISIT = "v" * 22
HIDDEN = {"shelf": "nothing", "name": "nothing.js", "anywhere": "nowhere/at/all"}
HIDDEN |= dict.fromkeys(
    ("mail_id", "notification_id", "webhook_id", "job_id", "import_id", "link_id", "stream_id", "caption_id", "number"),
    "nothing",
)
HIDDEN |= dict.fromkeys(("verdict_id", "rescreen_id", "version", "model_id"), "nothing") | {"section": "server"}


@dataclass(slots=True)
class House:
    """The real app behind the real door, in this process, with its cast."""

    host: Host
    app: Litestar
    client: httpx.AsyncClient
    other_keys: AccountKeys
    proofs: dict[tuple[str, bool, bool], dict[str, str]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    async def sign_in(self, who: str) -> SignIn:
        """A fresh session of one of the cast."""
        return await self.host.accounts.login(f"{who}@example.org", PASSWORD)

    async def path(self, template: str) -> str:
        """The path with things of the owner's in it, made for it."""
        values = dict(HIDDEN)
        if "{video_id}" in template:
            values["video_id"] = await self._video()
        if "{upload_id}" in template:
            upload = await self.host.uploads.create((await self._owner()).id, 3)
            values["upload_id"] = upload.id
        if "{session_id}" in template:
            values["session_id"] = (await self.sign_in("owner")).session.id
        if "{user_id}" in template:
            email = f"{new_id()}@example.org"
            values["user_id"] = (await self.host.accounts.people.add(email, PASSWORD, "Somebody", Role.VIEWER)).id
        if "{invitation_id}" in template:
            values["invitation_id"] = (await self.host.accounts.invitations.create(SYSTEM)).invitation.id
        if "{token_id}" in template:
            owner = await self._owner()
            made = await self.host.accounts.api_tokens.create(owner, PASSWORD, "s", ["read"], None, Actor.of(owner))
            values["token_id"] = made.token.id
        return template.format_map(values)

    async def _owner(self) -> User:
        return await self.host.accounts.people.by_email("owner@example.org")

    async def _video(self) -> VideoId:
        return await private_video(self.host.db, (await self._owner()).id)

    async def good_proof(self, who: str, page: bool, csrf: bool = True) -> dict[str, str]:
        """The headers that prove who asks: a bearer token, or on pages a cookie with the token for forms."""
        if who == "anonymous":
            return self._cookies(VISIT_COOKIE, VISIT, f"visit:{VISIT}" if csrf else None) if page else {}
        sign_in = await self.sign_in(who)
        if not page:
            return {"Authorization": f"Bearer {sign_in.access_token}"}
        value = self.host.accounts.cookie_of(sign_in.session.id)
        return self._cookies(SESSION_COOKIE, value, f"session:{sign_in.session.id}" if csrf else None)

    async def lasting_proof(self, who: str, page: bool, csrf: bool = True) -> dict[str, str]:
        """As `good_proof`, the same each time, as long as no request has been granted that may end sessions."""
        if (who, page, csrf) not in self.proofs:
            self.proofs[who, page, csrf] = await self.good_proof(who, page, csrf)
        return self.proofs[who, page, csrf]

    async def bad_proof(self, kind: str, page: bool) -> dict[str, str]:
        """What would make its bearer the admin, if it held."""
        sign_in = await self.sign_in("doomed" if kind == "disabled" else "admin")
        session, keys = sign_in.session.id, AccountKeys.of(self.host.instance)
        now = time.time()
        token = sign_in.access_token
        cookie = SignedNames(keys.session_cookie).seal(session)
        match kind:
            case "expired":
                token = AccessTokens(keys.access_token, keys.instance, 900).issue(sign_in.user.id, session, now - HOUR)
            case "revoked":
                await self.host.accounts.logout(session)
            case "disabled":
                await self.host.accounts.people.disable(sign_in.user.id)
                await self.host.accounts.people.enable(sign_in.user.id)
            case "alg none":
                header = urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').decode().rstrip("=")
                token = f"{header}.{token.split('.')[1]}."
            case "wrong key":
                token = AccessTokens(b"k" * 32, keys.instance, 900).issue(sign_in.user.id, session, now)
                cookie = SignedNames(b"k" * 32).seal(session)
            case "other instance":
                other = self.other_keys
                token = AccessTokens(other.access_token, other.instance, 900).issue(sign_in.user.id, session, now)
                cookie = SignedNames(other.session_cookie).seal(session)
            case "made up":
                cookie = f"{session}.{session}"
        if not page:
            return {"Authorization": f"Bearer {token}"}
        held = self._cookies(VISIT_COOKIE, VISIT, f"visit:{VISIT}")
        return held | {"Cookie": f"{held['Cookie']}; {SESSION_COOKIE}={cookie}"}

    async def ask(self, route: str, proof: Mapping[str, str]) -> httpx.Response:
        """One request as the table describes it, with `proof` added. The things in its path are those of the requests
        before it, unless one of these was granted and may have changed them."""
        method, _, template = route.partition(" ")
        if template not in self.paths:
            self.paths[template] = await self.path(template)
        send: dict[str, Any] = dict(TABLE[route].send)
        send["headers"] = {"Accept": "*/*", **send.get("headers", {}), **proof}
        answer = await self.client.request(method, self.paths[template], **send)
        if method not in SAFE_METHODS and answer.status_code < HTTPStatus.BAD_REQUEST:
            self.paths.clear()
            self.proofs.clear()
        return answer

    async def api_token(self, who: str, *scopes: Scope, days: float | None = None) -> NewApiToken:
        """An API token of one of the cast."""
        user = (await self.sign_in(who)).user
        return await self.host.accounts.api_tokens.create(user, PASSWORD, "s", scopes, days, Actor.of(user))

    async def bad_api_token(self, kind: str) -> str:
        """The text of an API token that would be good for everything, if it held."""
        made = await self.api_token("barred" if kind == "disabled" else "admin", *Scope, days=1)
        owner = await self.host.accounts.viewer_of_bearer(made.text)
        assert owner.user is not None and owner.user.role is Role.ADMIN
        match kind:
            case "expired":
                async with self.host.db.write() as conn:
                    await conn.execute(
                        "UPDATE api_tokens SET expires_at = :now WHERE id = :id",
                        {"now": time.time() - 1, "id": made.token.id},
                    )
            case "revoked":
                await self.host.accounts.api_tokens.revoke(owner.user, made.token.id, SYSTEM)
            case "disabled":
                await self.host.accounts.people.disable(owner.user.id)
            case "made up":
                return made.text[:-1] + ("A" if made.text[-1] != "A" else "B")
        return made.text

    def _cookies(self, name: str, value: str, binding: str | None) -> dict[str, str]:
        headers = {"Cookie": f"{name}={value}"}
        if binding is not None:
            headers["X-CSRF-Token"] = make_token(self.host.instance.keys.derive(Purpose.CSRF), binding)
        return headers


@asynccontextmanager
async def open_house(tmp_path: Path) -> AsyncIterator[House]:
    """The whole application with its background work, and users of every role."""
    instance_at(tmp_path / "data")
    async with at_work(load(tmp_path / "data", {}, accounts__registration="open", **QUICK)) as (host, app, door):
        transport = httpx.ASGITransport(cast(Any, brief(door)))
        for who, role in {**CAST, "doomed": Role.ADMIN, "barred": Role.ADMIN}.items():
            await host.accounts.people.add(f"{who}@example.org", PASSWORD, who, role, verified=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://site.test") as client:
            yield House(host, app, client, AccountKeys.of(open_instance(tmp_path / "elsewhere")))
