"""Routes that come into the application together: every path has all of its methods, and an answer to OPTIONS."""

from typing import Any, cast

import httpx
import pytest
from litestar import Litestar, Router, get, post
from litestar.exceptions import ImproperlyConfiguredException
from litestar.params import FromPath

from streamhost.server.routing import AllTogether, Together, which_methods


@get("/things")
async def list_things() -> str:
    """Look."""
    return "some"


@post("/things")
async def add_thing() -> str:
    """Add."""
    return "one"


@get("/things/{thing:str}", sync_to_thread=False)
def thing(thing: FromPath[str]) -> str:
    """One of them."""
    return thing


@get("/plugged")
async def plugged() -> str:
    """In a router of Litestar's."""
    return "in"


def app_of(*handlers: Any) -> Litestar:
    """An application of these."""
    return Litestar(list(handlers), plugins=[AllTogether()], openapi_config=None)


async def ask(app: Litestar, method: str, path: str) -> httpx.Response:
    """One request to it."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(cast(Any, app)), base_url="http://things") as client:
        return await client.request(method, path)


async def test_a_path_has_all_methods_of_all_routers() -> None:
    """Handlers answer wherever they were put: on their own, in a router of ours, in one of Litestar's."""
    app = app_of(list_things, Together([add_thing, thing]), Router("/more", route_handlers=[plugged]))
    found = [await ask(app, *line) for line in (("GET", "/things"), ("POST", "/things"), ("GET", "/things/1"))]
    assert [answer.text for answer in found] == ["some", "one", "1"]
    assert (await ask(app, "GET", "/more/plugged")).text == "in"
    assert (await ask(app, "DELETE", "/things")).status_code == 405


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/things", "GET, OPTIONS, POST"), ("/things/1", "GET, OPTIONS"), ("/more/plugged", "GET, OPTIONS")],
)
async def test_options_names_every_method(path: str, methods: str) -> None:
    """Also where the methods of one path were written apart from each other."""
    app = app_of(list_things, thing, Together([add_thing]), Router("/more", route_handlers=[plugged]))
    answer = await ask(app, "OPTIONS", path)
    assert (answer.status_code, answer.headers["Allow"], answer.content) == (204, methods, b"")


async def test_one_handler_answers_options() -> None:
    """There is one of it, however many paths there are."""
    app = app_of(list_things, add_thing, thing, plugged)
    answering = {id(route.route_handler_map["OPTIONS"][0]) for route in app.routes}  # type: ignore[union-attr]
    assert len(app.routes) == 3
    assert len(answering) == 1
    assert app.routes[0].route_handler_map["OPTIONS"][0].fn is which_methods.fn  # type: ignore[union-attr]


def test_two_handlers_for_one_method_are_refused() -> None:
    """Nobody could tell which of them would answer."""
    with pytest.raises(ImproperlyConfiguredException, match=r"/things has two handlers for GET"):
        app_of(list_things, Together([list_things]))


def test_handlers_keep_no_application_alive() -> None:
    """They are written once, and applications come and go: settings are rehearsed in one of their own."""
    app_of(list_things, Together([add_thing]))
    assert [handler.owner for handler in (list_things, add_thing, which_methods)] == [None] * 3
