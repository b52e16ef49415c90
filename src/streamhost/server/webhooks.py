"""Webhooks over HTTP, for administrators."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta

from streamhost.features.notifications import Notifications
from streamhost.model.clock import HOUR
from streamhost.model.errors import InvalidInput, NotFound, StreamhostError
from streamhost.model.ids import DeliveryId, WebhookId
from streamhost.model.notices import DeliveryState
from streamhost.server.administration import changing, looking
from streamhost.server.auth import actor_of
from streamhost.server.documents.webhooks import (
    DeliveryDocument,
    NotTaken,
    WebhookDocument,
    delivery_document,
    webhook_document,
)
from streamhost.server.limits import RouteClass, limited
from streamhost.server.notifications import Trial

AnyRequest = Request[Any, Any, Any]
State = Annotated[DeliveryState | None, QueryParameter(name="state", description="Which deliveries are listed.")]
WRONG = {"malformed_request": 400, "request_too_large": 413, "invalid_input": 422}


@dataclass(frozen=True, slots=True)
class WebhookList:
    """The webhooks, and every event that they can be told of."""

    items: Sequence[WebhookDocument]
    next_cursor: str | None
    kinds: Sequence[str]


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """Where events are posted to, of which kinds (none: all), and what for."""

    url: Annotated[str, Meta(max_length=2000)]
    kinds: Sequence[str] = ()
    note: Annotated[str, Meta(max_length=200)] = ""


@dataclass(frozen=True, slots=True)
class WebhookWithSecret:
    """The webhook and its signing secret, which is shown only now."""

    webhook: WebhookDocument
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """What is to be different; what is not sent stays."""

    url: Annotated[str, Meta(max_length=2000)] | None = None
    kinds: Sequence[str] | None = None
    note: Annotated[str, Meta(max_length=200)] | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """For how many hours the secret so far signs too."""

    hours: Annotated[float, Meta(ge=0, le=720)] = 24.0


@dataclass(frozen=True, slots=True)
class Replay:
    """What is delivered once more: one delivery by its id, or since a moment what is dead, or everything."""

    delivery: str | None = None
    since: datetime | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many deliveries are on their way again."""

    replayed: int


@dataclass(frozen=True, slots=True)
class DeliveryList:
    """Deliveries, newest first."""

    items: Sequence[DeliveryDocument]
    next_cursor: str | None = None


@get("/api/v1/admin/webhooks", summary="The webhooks", **looking())
async def list_webhooks(notifications: NamedDependency[Notifications]) -> WebhookList:
    """All of them, oldest first, and the kinds of events there are."""
    room = notifications.webhooks
    return WebhookList([webhook_document(one) for one in await room.listed()], None, room.kinds())


@post(
    "/api/v1/admin/webhooks", status_code=HTTP_201_CREATED, summary="Add a webhook", **changing(conflict=409, **WRONG)
)
async def add_webhook(
    request: AnyRequest, data: JSONBody[NewWebhook], notifications: NamedDependency[Notifications]
) -> WebhookWithSecret:
    """Have events posted to an address from now on. The secret in the answer is shown only this once."""
    room = notifications.webhooks
    made = await room.create(data.url, data.kinds, data.note, actor_of(request))
    return WebhookWithSecret(webhook_document(await room.get(made.webhook.id)), made.secret)


@get("/api/v1/admin/webhooks/{webhook_id:str}", summary="One webhook", **looking(not_found=404))
async def show_webhook(webhook_id: FromPath[str], notifications: NamedDependency[Notifications]) -> WebhookDocument:
    """How it fares."""
    return webhook_document(await notifications.webhooks.get(WebhookId(webhook_id)))


@patch("/api/v1/admin/webhooks/{webhook_id:str}", summary="Change a webhook", **changing(not_found=404, **WRONG))
async def change_webhook(
    request: AnyRequest,
    webhook_id: FromPath[str],
    data: JSONBody[WebhookChange],
    notifications: NamedDependency[Notifications],
) -> WebhookDocument:
    """Change its address, its events, its note; switch it on or off."""
    changed = await notifications.webhooks.change(
        WebhookId(webhook_id), actor_of(request), url=data.url, kinds=data.kinds, note=data.note, enabled=data.enabled
    )
    return webhook_document(changed)


@delete("/api/v1/admin/webhooks/{webhook_id:str}", summary="Remove a webhook", **changing(not_found=404))
async def remove_webhook(
    request: AnyRequest, webhook_id: FromPath[str], notifications: NamedDependency[Notifications]
) -> None:
    """With everything that waits for it."""
    await notifications.webhooks.remove(WebhookId(webhook_id), actor_of(request))


@post(
    "/api/v1/admin/webhooks/{webhook_id:str}/rotate",
    status_code=HTTP_200_OK,
    summary="Replace a webhook's secret",
    **changing(not_found=404, **WRONG),
)
async def rotate_secret(
    request: AnyRequest,
    webhook_id: FromPath[str],
    data: JSONBody[Rotation],
    notifications: NamedDependency[Notifications],
) -> WebhookWithSecret:
    """Put a new secret in force. For some hours both sign, so that the other side can change without missing any."""
    room = notifications.webhooks
    made = await room.rotate(WebhookId(webhook_id), actor_of(request), data.hours * HOUR)
    return WebhookWithSecret(webhook_document(await room.get(made.webhook.id)), made.secret)


@post(
    "/api/v1/admin/webhooks/{webhook_id:str}/test",
    status_code=HTTP_200_OK,
    opt=limited(RouteClass.MAIL),
    summary="Try a webhook",
    **changing(not_found=404),
)
async def test_webhook(webhook_id: FromPath[str], notifications: NamedDependency[Notifications]) -> Trial:
    """Post a test event now; the answer says how it went."""
    try:
        await notifications.webhooks.test(WebhookId(webhook_id))
    except NotFound:
        raise
    except StreamhostError as error:
        return Trial(sent=False, error=NotTaken(error.code, error.words(), error.hint))
    return Trial(sent=True)


@get(
    "/api/v1/admin/webhooks/{webhook_id:str}/deliveries",
    summary="Deliveries to a webhook",
    **looking(not_found=404, invalid_input=422),
)
async def list_deliveries(
    webhook_id: FromPath[str], notifications: NamedDependency[Notifications], which: State = None
) -> DeliveryList:
    """The newest hundred; those that have arrived are kept for a week, dead ones for a month."""
    found = await notifications.webhooks.deliveries(WebhookId(webhook_id), which)
    return DeliveryList([delivery_document(one) for one in found])


@post(
    "/api/v1/admin/webhooks/{webhook_id:str}/replay",
    status_code=HTTP_200_OK,
    summary="Deliver again",
    **changing(not_found=404, webhook_off=409, **WRONG),
)
async def replay_deliveries(
    request: AnyRequest,
    webhook_id: FromPath[str],
    data: JSONBody[Replay],
    notifications: NamedDependency[Notifications],
) -> Replayed:
    """One delivery, or since a moment what is dead (or `everything`), each under its `webhook-id` of before."""
    room, by = notifications.webhooks, actor_of(request)
    if (data.delivery is None) == (data.since is None):
        raise InvalidInput(fields={"delivery": "Name one delivery, or a moment in `since`."})
    if data.delivery is not None:
        await room.replay(WebhookId(webhook_id), DeliveryId(data.delivery), by)
        return Replayed(1)
    assert data.since is not None
    since = data.since.timestamp()
    return Replayed(await room.replay_since(WebhookId(webhook_id), since, by, everything=data.everything))


routes = [
    list_webhooks,
    add_webhook,
    show_webhook,
    change_webhook,
    remove_webhook,
    rotate_secret,
    test_webhook,
    list_deliveries,
    replay_deliveries,
]
