"""Every route of the real app, asked by everybody, with every kind of bad proof: the answers are those of the table."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, cast

import pytest
from litestar import Litestar

from streamhost.features.accounts import AccountKeys
from streamhost.features.accounts.tokens import AccessTokens, SignedNames
from streamhost.instance import Purpose, open_instance
from streamhost.model.accounts import Scope
from streamhost.model.audit import SYSTEM
from streamhost.model.clock import HOUR
from streamhost.model.grants import Grant, encode
from streamhost.model.ids import PackageId, SessionId, VideoId, new_id
from streamhost.server.auth import SESSION_COOKIE, VISIT_COOKIE, declared, handlers_of
from streamhost.server.csrf import SAFE_METHODS
from tests.flows.access_house import House, open_house
from tests.flows.access_line import WHO
from tests.flows.access_table import TABLE
from tests.flows.token_table import NEEDED, NEVER, UNSEEN

BAD_TOKENS = ("expired", "revoked", "disabled", "alg none", "wrong key", "other instance")
NO_PAGE = "GET /{anywhere}"
BAD_API_TOKENS = ("expired", "revoked", "disabled", "made up")
BAD_COOKIES = ("revoked", "disabled", "wrong key", "other instance", "made up")


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """The whole application, fresh. It feels well also where the disk stalls for seconds."""
    monkeypatch.setattr("streamhost.features.health.PATIENCE", 60.0)
    async with open_house(tmp_path) as opened:
        yield opened


def routes_of(app: Litestar) -> set[str]:
    """Every route as the table names it."""
    return {
        f"{method} {route.path_format}"
        for route in app.routes
        for handler in handlers_of(route)
        for method in cast(Any, handler).http_methods
    }


def is_page(route: str) -> bool:
    """Whether people come by browser, with a cookie."""
    return not route.partition(" ")[2].startswith("/api/")


async def test_the_table_knows_every_route(house: House) -> None:
    """A route that the table does not name, or a line without a route, is a mistake."""
    assert routes_of(house.app) == set(TABLE) == set(NEEDED)


async def test_everybody_gets_the_answer_of_the_table(house: House) -> None:
    """Anonymous, viewer, creator, owner, admin: each route answers each as the table says, and nothing else."""
    wrong = []
    for route, line in TABLE.items():
        for who in WHO[:-1]:
            answer = await house.ask(route, await house.lasting_proof(who, is_page(route)))
            if answer.status_code != line.status(who):
                wrong.append(f"{route} as {who}: {answer.status_code}, not {line.status(who)}: {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


async def test_bad_proof_opens_nothing(house: House) -> None:
    """Expired, revoked and forged tokens and cookies of an admin are worth nothing on any route."""
    kinds = {True: BAD_COOKIES, False: BAD_TOKENS}
    proofs = {page: {kind: await house.bad_proof(kind, page) for kind in kinds[page]} for page in kinds}
    wrong = []
    for route, line in TABLE.items():
        for kind, proof in proofs[is_page(route)].items():
            answer = await house.ask(route, proof)
            if answer.status_code != line.status("bad"):
                wrong.append(f"{route}, {kind}: {answer.status_code}, not {line.status('bad')}: {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


async def test_a_bad_bearer_token_is_refused_on_pages_too(house: House) -> None:
    """Whoever shows a bad token is refused on every route that looks, to see a page by being sent to sign in; on the
    others they get what everybody gets."""
    tokens = {kind: await house.bad_api_token(kind) for kind in BAD_API_TOKENS}
    proofs = {f"API token, {kind}": {"Authorization": f"Bearer {text}"} for kind, text in tokens.items()}
    proofs |= {kind: await house.bad_proof(kind, page=False) for kind in BAD_TOKENS}
    wrong = []
    for route, line in TABLE.items():
        # What is not there is no page, so nobody is sent to sign in for it.
        refusal = 303 if is_page(route) and route.startswith("GET ") and route != NO_PAGE else 401
        expected = line.status("anonymous") if NEEDED[route] is UNSEEN else refusal
        for kind, proof in proofs.items():
            if not is_page(route) and not kind.startswith("API token"):
                continue
            answer = await house.ask(route, proof)
            if answer.status_code != expected:
                wrong.append(f"{route}, {kind}: {answer.status_code}, not {expected}: {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


async def test_an_api_token_opens_what_its_scope_is_for(house: House) -> None:
    """An admin's token with one scope opens the routes of that scope and no other, pages included; and only with the
    scope `admin` it has an admin's power over what is others'."""
    tokens = {scope: (await house.api_token("admin", scope)).text for scope in Scope}
    wrong = []
    for route, line in TABLE.items():
        for scope, text in tokens.items():
            opens = NEEDED[route] in (scope, UNSEEN)
            power = "admin" if NEEDED[route] in (Scope.ADMIN, UNSEEN) else "creator"
            answer = await house.ask(route, {"Authorization": f"Bearer {text}"})
            refused = "insufficient_scope" in answer.headers.get("www-authenticate", "")
            if (answer.status_code, refused) != ((line.status(power), False) if opens else (403, True)):
                wrong.append(f"{route}, {scope}: {answer.status_code}: {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


async def test_an_api_token_carries_no_more_than_its_owner_may(house: House) -> None:
    """With every scope, a viewer's token is refused wherever the viewer is."""
    everything = {"Authorization": f"Bearer {(await house.api_token('viewer', *Scope)).text}"}
    wrong = []
    for route, line in TABLE.items():
        if NEEDED[route] in (UNSEEN, NEVER):
            continue
        answer = await house.ask(route, everything)
        if answer.status_code != line.status("viewer"):
            wrong.append(f"{route}: {answer.status_code}, not {line.status('viewer')}: {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


async def test_the_forged_proof_would_hold_if_it_were_true(house: House) -> None:
    """The same hands make a good token and a good cookie that are accepted, so the refusals are no accident."""
    sign_in, keys = await house.sign_in("admin"), AccountKeys.of(house.host.instance)
    token = AccessTokens(keys.access_token, keys.instance, 900).issue(sign_in.user.id, sign_in.session.id, time.time())
    cookie = SignedNames(keys.session_cookie).seal(sign_in.session.id)
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"{SESSION_COOKIE}={cookie}"}):
        assert (await house.client.get("/api/v1/me", headers=headers)).json()["role"] == "admin"


async def test_no_cookie_changes_anything_without_its_token(house: House) -> None:
    """An unsafe route that looks at cookies refuses an admin's cookie without the form token, or from elsewhere."""
    looked_at = 0
    for route in app_routes_that_look(house.app):
        method = route.partition(" ")[0]
        if method in SAFE_METHODS:
            continue
        looked_at += 1
        bare = await house.ask(route, await house.lasting_proof("admin", page=True, csrf=False))
        assert (bare.status_code, "csrf_mismatch" in bare.text) == (403, True), route
        foreign = await house.lasting_proof("admin", page=True) | {"Sec-Fetch-Site": "cross-site"}
        refused = await house.ask(route, foreign)
        assert (refused.status_code, "cross_site" in refused.text) == (403, True), route
    assert looked_at > 10
    beacon = await house.ask("POST /api/v1/events", await house.good_proof("admin", page=True, csrf=False))
    assert beacon.status_code == 404, "a report is heard without the token"
    foreign = await house.good_proof("admin", page=True) | {"Sec-Fetch-Site": "cross-site"}
    assert (await house.ask("POST /api/v1/events", foreign)).status_code == 403


def app_routes_that_look(app: Litestar) -> list[str]:
    """The routes at which it matters who asks."""
    return [
        f"{method} {route.path_format}"
        for route in app.routes
        for handler in handlers_of(route)
        for method in cast(Any, handler).http_methods
        if declared(handler)[0].looks and not declared(handler)[0].beacon
    ]


async def test_segments_are_not_opened_by_who_one_is(house: House) -> None:
    """On the delivery path only a grant counts: an admin's tokens and cookie open nothing, nor does another's grant."""
    video = VideoId(await house._video())
    viewer = await house.host.accounts.viewer_of_access_token((await house.sign_in("owner")).access_token)
    stream = await house.host.playback.stream(video, viewer)
    other = await house._video()
    proofs: list[dict[str, str]] = [await house.good_proof("admin", page) for page in (True, False)]
    proofs.append({"Authorization": f"Bearer {(await house.api_token('admin', *Scope)).text}"})
    for path in (stream.hls.replace(video, other), f"/s/made-up/{video}/master.m3u8", f"/s//{video}/master.m3u8"):
        for headers in ({}, *proofs):
            answer = await house.client.get(path, headers=headers)
            assert answer.status_code in (403, 404), (path, answer.status_code)
            assert b"#EXTM3U" not in answer.content


async def test_a_grant_that_does_not_hold_opens_nothing(house: House) -> None:
    """Expired, revoked and forged grants are refused; the true one comes as far as the file, which is not there."""
    sign_in, token = await house.sign_in("owner"), await house.api_token("owner", Scope.READ)
    video, package, now = VideoId(await house._video()), PackageId(new_id()), time.time()
    ring = house.host.instance.keys.ring(Purpose.GRANTS)
    other = open_instance(house.host.instance.data.parent / "elsewhere").keys.ring(Purpose.GRANTS)
    (number, key), *_ = ring.items()

    def grant(session: str, begin: float = now) -> Grant:
        return Grant(video, package, SessionId(session), begin, begin + HOUR, sign_in.user.id)

    true = encode(grant(sign_in.session.id), number, key)
    over = (await house.sign_in("owner")).session.id
    await house.host.accounts.logout(over)
    await house.host.accounts.api_tokens.revoke(sign_in.user, token.token.id, SYSTEM)
    cases = {
        "true": (true, 404, ""),
        "expired": (encode(grant(sign_in.session.id, now - 2 * HOUR), number, key), 403, "grant_expired"),
        "of a session that is over": (encode(grant(over), number, key), 403, "grant_revoked"),
        "of a revoked API token": (encode(grant(token.token.id), number, key), 403, "grant_revoked"),
        "wrong key": (encode(grant(sign_in.session.id), number, b"k" * 32), 403, "invalid_grant"),
        "unknown key": (encode(grant(sign_in.session.id), number + 1, key), 403, "invalid_grant"),
        "other instance": (encode(grant(sign_in.session.id), number, other[number]), 403, "invalid_grant"),
        "no signature": (true[:-22], 403, "invalid_grant"),
    }
    for kind, (text, status, code) in cases.items():
        answer = await house.client.get(f"/s/{text}/{video}/master.m3u8")
        assert (answer.status_code, code in answer.text) == (status, True), (kind, answer.status_code, answer.text)


async def test_cookies_of_the_pages_are_out_of_reach_of_scripts(house: House) -> None:
    """What the real pages set is HttpOnly, SameSite and without a domain."""
    page = await house.client.get("/login")
    cookies = SimpleCookie(page.headers["set-cookie"])
    assert list(cookies) == [VISIT_COOKIE]
    assert cookies[VISIT_COOKIE]["httponly"] is True
    assert cookies[VISIT_COOKIE]["samesite"].lower() == "lax"
    assert cookies[VISIT_COOKIE]["domain"] == ""
