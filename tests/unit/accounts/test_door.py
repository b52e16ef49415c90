"""The guards, the cookies and the protection against forged requests, over HTTP through a real Litestar app."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar, Request, Response, get, post
from litestar.di import NamedDependency, Provide

from streamhost.config import LimitSettings
from streamhost.features.accounts import Accounts, SignIn
from streamhost.model.accounts import Role
from streamhost.model.clock import system_clock
from streamhost.server import accounts as account_routes
from streamhost.server import errors
from streamhost.server import me as own_routes
from streamhost.server.auth import (
    Doorkeeper,
    UndeclaredAccess,
    address_of,
    anyone,
    at_least,
    clear_cookie,
    csrf_token,
    device_of,
    public,
    sign_in_cookie,
    signed_in,
    viewer_of,
)
from streamhost.server.limits import RequestLimits
from tests.unit.accounts.conftest import PASSWORD
from tests.unit.accounts.hands import altered

CSRF_KEY = b"c" * 32
CREDENTIALS = {"email": "alice@example.org", "password": PASSWORD}
AnyRequest = Request[Any, Any, Any]


@get("/form", guards=[anyone], media_type="text/html")
async def show_form(request: AnyRequest) -> str:
    return csrf_token(request)


@post("/form", guards=[anyone], status_code=200)
async def send_form(request: AnyRequest) -> dict[str, Any]:
    return {"fields": dict(await request.form()), "me": viewer_of(request).id}


@post("/login", guards=[anyone])
async def page_login(request: AnyRequest, accounts: NamedDependency[Accounts]) -> Response[None]:
    sign_in = await accounts.login(**CREDENTIALS, device=device_of(request), address=address_of(request))
    response = Response(None, status_code=303, headers={"Location": "/"})
    sign_in_cookie(request, response, sign_in)
    return response


@post("/logout", guards=[signed_in])
async def page_logout(request: AnyRequest) -> Response[None]:
    response = Response(None, status_code=303, headers={"Location": "/"})
    clear_cookie(request, response)
    return response


@post("/api/v1/thing", guards=[anyone], status_code=200)
async def api_thing(request: AnyRequest) -> dict[str, Any]:
    return {"me": viewer_of(request).id, "bytes": len(await request.body())}


@get("/api/v1/moderate", guards=[at_least(Role.MODERATOR)])
async def moderate() -> None:
    return None


@get("/api/v1/open", guards=[public])
async def open_to_all(request: AnyRequest) -> dict[str, Any]:
    return {"me": viewer_of(request).id}


ROUTES = [
    show_form,
    send_form,
    page_login,
    page_logout,
    api_thing,
    moderate,
    open_to_all,
    *account_routes.routes,
    *own_routes.routes,
]
Dial = Callable[..., httpx.AsyncClient]


def app_of(accounts: Accounts, public_url: str = "", routes: Any = ROUTES) -> Litestar:
    """The app with these routes, guarded as the real one."""
    return Litestar(
        route_handlers=routes,
        plugins=[Doorkeeper(accounts, CSRF_KEY, public_url, limits=RequestLimits(LimitSettings(), system_clock))],
        dependencies={"accounts": Provide(lambda: accounts, sync_to_thread=False)},
        exception_handlers={Exception: errors.handle},
        openapi_config=None,
    )


@pytest.fixture
async def dial(accounts: Accounts) -> AsyncIterator[Dial]:
    """Makes clients of the app: each is a browser or program of its own."""
    clients: list[httpx.AsyncClient] = []

    def make(base: str = "http://site.test", public_url: str = "", address: str = "198.51.100.7") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(cast(Any, app_of(accounts, public_url)), client=(address, 4711))
        clients.append(httpx.AsyncClient(transport=transport, base_url=base))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


async def signed_in_browser(dial: Dial, **where: str) -> tuple[httpx.AsyncClient, str]:
    """A browser in which Alice is signed in, and the token of the page it shows."""
    browser = dial(**where)
    token = (await browser.get("/form")).text
    answer = await browser.post("/login", headers={"X-CSRF-Token": token})
    assert answer.status_code == 303, answer.text
    return browser, (await browser.get("/form")).text


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and stable code of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("guards", [[], [anyone, signed_in], [public, public]])
def test_an_app_with_an_undeclared_route_does_not_start(accounts: Accounts, guards: list[Any]) -> None:
    """Each route says exactly once who may use it; forgetting it is found before the first request."""

    @get("/forgotten", guards=guards)
    async def forgotten() -> None:
        return None

    with pytest.raises(UndeclaredAccess, match="/forgotten"):
        app_of(accounts, routes=[forgotten])


async def test_bearer_tokens_open_what_their_user_may(dial: Dial, alice: SignIn) -> None:
    """A token gives its user's role: enough for some routes, not for others; without one there is 401."""
    client = dial()
    bearer = {"Authorization": f"Bearer {alice.access_token}"}
    assert (await client.get("/api/v1/me", headers=bearer)).json()["email"] == "alice@example.org"
    assert code_of(await client.get("/api/v1/moderate", headers=bearer)) == (403, "forbidden")
    refused = await client.get("/api/v1/me")
    assert code_of(refused) == (401, "unauthenticated")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert (await client.post("/api/v1/thing", headers=bearer)).json()["me"] == alice.user.id
    assert (await client.get("/api/v1/open", headers=bearer)).json() == {"me": None}


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "bearer x.y.z", "Bearer a b", "Bearer \xe9.\xe9.\xe9"])
async def test_a_bad_bearer_token_is_never_anonymous(dial: Dial, alice: SignIn, header: str) -> None:
    """Whoever sends a token that does not hold is told so, where everybody may come in too, and beside a cookie."""
    browser, _ = await signed_in_browser(dial)
    for path in ("/api/v1/me", "/form"):
        answer = await browser.get(path, headers={"Authorization": header.encode("latin-1")})  # type: ignore[arg-type]
        assert code_of(answer) == (401, "invalid_token")


async def test_other_authorization_is_the_proxys_business(dial: Dial, alice: SignIn) -> None:
    """A proxy's Basic authentication passes by; the cookie decides."""
    browser, _ = await signed_in_browser(dial)
    answer = await browser.get("/api/v1/me", headers={"Authorization": "Basic cHJveHk6cHJveHk="})
    assert answer.json()["id"] == alice.user.id


@pytest.mark.parametrize(
    ("base", "public_url", "name", "secure"),
    [
        ("http://site.test", "", "streamhost_session", False),
        ("https://site.test", "", "__Host-streamhost_session", True),
        ("http://site.test", "https://site.test", "__Host-streamhost_session", True),
        ("https://site.test", "http://site.test", "streamhost_session", False),
    ],
)
async def test_cookies_are_bound_as_tightly_as_can_be(
    dial: Dial, alice: SignIn, base: str, public_url: str, name: str, secure: bool
) -> None:
    """HttpOnly, SameSite, whole path, no domain; with https Secure and the __Host- prefix."""
    browser = dial(base, public_url)
    page = await browser.get("/form")
    visit = page.headers["set-cookie"]
    headers = {"X-CSRF-Token": page.text, "Cookie": visit.partition(";")[0]}
    answer = await browser.post("/login", headers=headers)
    (session,) = answer.headers.get_list("set-cookie")
    for cookie, lasting in ((visit, False), (session, True)):
        parts = [part.strip().lower() for part in cookie.split(";")]
        assert {"httponly", "samesite=lax", "path=/"} <= set(parts)
        assert ("secure" in parts) is secure
        assert not any(part.startswith("domain") for part in parts)
        assert any(part.startswith("max-age") for part in parts) is lasting
    assert session.startswith(f"{name}=")


async def test_the_cookie_of_the_other_scheme_is_not_taken(dial: Dial, accounts: Accounts, alice: SignIn) -> None:
    """Where the site has https, a cookie without the prefix (a neighbour host could set it) opens nothing."""
    value = accounts.cookie_of(alice.session.id)
    client = dial("https://site.test")
    for name, status in (("streamhost_session", 401), ("__Host-streamhost_session", 200)):
        assert (await client.get("/api/v1/me", headers={"Cookie": f"{name}={value}"})).status_code == status


@pytest.mark.parametrize("value", ["", "x", "x.y", "a" * 16 + ".AAAAAAAAAAAAAAAAAAAAAAAAAAA", "\xff\xfe", "%00.%00"])
async def test_a_made_up_cookie_is_nobody(dial: Dial, value: str) -> None:
    """Any cookie that is not ours is like none."""
    cookie = f"streamhost_session={value}".encode("latin-1")
    assert (await dial().get("/form", headers={"Cookie": cookie})).status_code == 200  # type: ignore[arg-type]
    assert (await dial().get("/api/v1/me", headers={"Cookie": cookie})).status_code == 401  # type: ignore[arg-type]


async def test_forms_need_the_token_of_their_page(dial: Dial, alice: SignIn) -> None:
    """In a header or a field; the field stays readable for the handler."""
    browser, token = await signed_in_browser(dial)
    by_field = await browser.post("/form", data={"csrf_token": token, "title": "Zo\u00eb & co"})
    assert by_field.json() == {"fields": {"csrf_token": token, "title": "Zo\u00eb & co"}, "me": alice.user.id}
    assert (await browser.post("/form", headers={"X-CSRF-Token": token})).status_code == 200
    for sent in ("", "x", token[:-1], altered(token), "\u00e9"):
        assert code_of(await browser.post("/form", data={"csrf_token": sent})) == (403, "csrf_mismatch")
        assert code_of(await browser.post("/api/v1/thing", data={"csrf_token": sent})) == (403, "csrf_mismatch")
    assert code_of(await browser.delete("/api/v1/auth/sessions/x")) == (403, "csrf_mismatch")


async def test_a_token_is_good_for_its_own_session_only(dial: Dial, alice: SignIn) -> None:
    """Another session's token, and the one from before signing in, are refused; every page's token differs."""
    one, first = await signed_in_browser(dial)
    two, second = await signed_in_browser(dial)
    stranger = dial()
    visit = (await stranger.get("/form")).text
    assert (await one.get("/form")).text != first
    assert (await one.post("/form", headers={"X-CSRF-Token": first})).status_code == 200
    for browser, token in ((one, second), (two, first), (one, visit), (stranger, first), (dial(), visit)):
        assert code_of(await browser.post("/form", headers={"X-CSRF-Token": token})) == (403, "csrf_mismatch")


async def test_strangers_forms_are_bound_to_their_browser(dial: Dial, alice: SignIn) -> None:
    """Signing in needs a page of ours in the same browser, so nobody gets into another's account unawares."""
    browser = dial()
    assert code_of(await browser.post("/login")) == (403, "csrf_mismatch")
    first, second = (await browser.get("/form")).text, (await browser.get("/form")).text
    for token in (first, second):
        assert (await browser.post("/form", headers={"X-CSRF-Token": token})).json()["me"] is None


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://proxied.example"}, True),
        ({"Origin": "http://site.test"}, True),
        ({"Origin": "http://SITE.test"}, True),
        ({"Origin": "https://video.example"}, True),  # the public address, behind a proxy that changes Host
        ({"Origin": "http://evil.test"}, False),
        ({"Origin": "http://site.test.evil.test"}, False),
        ({"Origin": "http://site.test:8080"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
    ],
)
async def test_another_site_starts_nothing(dial: Dial, alice: SignIn, headers: dict[str, str], accepted: bool) -> None:
    """Even with a stolen token a request that a browser calls cross-site is refused; a bearer token needs no origin."""
    browser, token = await signed_in_browser(dial, base="https://site.test", public_url="https://video.example")
    answer = await browser.post("/form", headers={"X-CSRF-Token": token, **headers})
    assert answer.status_code == (200 if accepted else 403), answer.text
    if not accepted:
        assert code_of(answer) == (403, "cross_site")
        for path in ("/api/v1/auth/login", "/api/v1/auth/register", "/api/v1/auth/refresh"):
            assert code_of(await dial().post(path, json={}, headers=headers)) == (403, "cross_site")
    bearer = {"Authorization": f"Bearer {alice.access_token}"}
    assert (await dial().post("/api/v1/thing", headers={**headers, **bearer})).status_code == 200


async def test_an_upload_is_not_read_for_its_token(dial: Dial, alice: SignIn) -> None:
    """Of a multipart, large or endless body nothing is read before the refusal; there only the header counts."""
    browser, token = await signed_in_browser(dial)
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        yield f"csrf_token={token}&x=".encode()
        while read < 64:
            read += 1
            yield b"x" * 65536

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = [
        await browser.post("/api/v1/thing", data={"csrf_token": token}, files={"file": b"x"}),
        await browser.post("/api/v1/thing", data={"csrf_token": token, "x": "y" * 70_000}),
        await browser.post("/api/v1/thing", content=body(), headers=form),
        await browser.post("/api/v1/thing", json={"csrf_token": token}),
    ]
    refused.append(await browser.post("/api/v1/thing", content=f"csrf_token={token}"))
    assert [code_of(answer) for answer in refused] == [(403, "csrf_mismatch")] * 5
    whole = await browser.post("/api/v1/thing", content=b"x" * 100_000, headers={"X-CSRF-Token": token})
    assert whole.json()["bytes"] == 100_000


async def test_programs_without_cookies_need_no_token_below_the_api(dial: Dial, alice: SignIn) -> None:
    """There is nothing to forge for somebody who is nobody; pages still ask for the token."""
    stranger = dial()
    assert (await stranger.post("/api/v1/thing")).json()["me"] is None
    assert code_of(await stranger.post("/form")) == (403, "csrf_mismatch")
    assert (await stranger.post("/api/v1/auth/login", json=CREDENTIALS)).status_code == 200


async def test_an_api_login_works_beside_a_cookie(dial: Dial, alice: SignIn) -> None:
    """Routes that carry their proof in the body take no notice of a session in the same client."""
    browser, _ = await signed_in_browser(dial)
    tokens = await browser.post("/api/v1/auth/login", json=CREDENTIALS)
    assert tokens.status_code == 200
    refreshed = await browser.post("/api/v1/auth/refresh", json={"refresh_token": tokens.json()["refresh_token"]})
    assert refreshed.status_code == 200


async def test_signing_out_ends_the_cookie(dial: Dial, accounts: Accounts, alice: SignIn) -> None:
    """By the API the session is dead and the browser forgets the cookie; a kept copy is worth nothing."""
    browser, token = await signed_in_browser(dial)
    kept = browser.cookies["streamhost_session"]
    answer = await browser.post("/api/v1/auth/logout", headers={"X-CSRF-Token": token})
    assert answer.status_code == 204
    assert re.search(r'streamhost_session="?"?;.*max-age=0', answer.headers["set-cookie"], re.IGNORECASE)
    assert "streamhost_session" not in browser.cookies
    again = await dial().get("/api/v1/me", headers={"Cookie": f"streamhost_session={kept}"})
    assert code_of(again) == (401, "unauthenticated")


async def test_too_many_guesses_say_when_to_come_back(dial: Dial, alice: SignIn) -> None:
    """The refusal is 429 with Retry-After in whole seconds, and holds for the right password too."""
    client = dial(address="203.0.113.9")
    wrong = CREDENTIALS | {"password": "wrong password"}
    answers = [await client.post("/api/v1/auth/login", json=wrong) for _ in range(10)]
    assert [code_of(answer) for answer in answers[:8]] == [(401, "bad_credentials")] * 8
    refused = await client.post("/api/v1/auth/login", json=CREDENTIALS)
    assert code_of(refused) == (429, "too_many_attempts")
    assert 1 <= int(refused.headers["retry-after"]) <= 15


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"email": 5, "password": []}', b'{"email": "a"}', b"\xff\xfe", b'"\\ud800"'],
)
@pytest.mark.parametrize("path", ["register", "login", "refresh"])
async def test_broken_bodies_are_refused_in_words(dial: Dial, path: str, body: bytes) -> None:
    """Whatever is sent, the answer is a problem that names the trouble, never an accident."""
    answer = await dial().post(f"/api/v1/auth/{path}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in ("invalid_input", "malformed_request")


async def test_huge_bodies_are_refused(dial: Dial) -> None:
    """Nobody needs a password of a megabyte."""
    answer = await dial().post("/api/v1/auth/login", json={"email": "a" * 1_000_000, "password": ""})
    assert answer.status_code == 413


async def test_surrogates_do_no_harm(dial: Dial, alice: SignIn) -> None:
    """Half a character smuggled in by a JSON escape is refused like any other wrong input."""
    body = rb'{"email": "\ud800@example.org", "password": "\ud800aaaaaaaaaaaaaa", "name": "\ud800"}'
    for path in ("register", "login"):
        answer = await dial().post(f"/api/v1/auth/{path}", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 401, 422)


async def test_answers_with_secrets_are_kept_out_of_caches(dial: Dial, alice: SignIn) -> None:
    """Tokens and personal data carry no-store."""
    client = dial()
    bearer = {"Authorization": f"Bearer {alice.access_token}"}
    answers = [
        await client.post("/api/v1/auth/login", json=CREDENTIALS),
        await client.post("/api/v1/auth/refresh", json={"refresh_token": alice.refresh_token}),
        await client.get("/api/v1/auth/sessions", headers=bearer),
        await client.get("/api/v1/me", headers=bearer),
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
