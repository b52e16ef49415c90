"""The administration: webhooks, what becomes of their deliveries, and a second try."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_200_OK

from streamhost.features.mail import Mail
from streamhost.features.notifications import Notifications, WebhookStatus
from streamhost.model.clock import HOUR
from streamhost.model.errors import InvalidInput, NotFound, StreamhostError
from streamhost.model.ids import DeliveryId, WebhookId
from streamhost.model.notices import Delivery, DeliveryState
from streamhost.server.auth import actor_of
from streamhost.server.errors import status_of
from streamhost.server.limits import RouteClass, limited
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.forms import complaint, failing, kept, see, typed
from streamhost.server.pages.frame import Frame, Texts
from streamhost.server.pages.people_shapes import Moment, moment, words

AnyRequest = Request[Any, Any, Any]
WEBHOOKS = "/admin/webhooks"
KIND = "kind "
DONE = {
    "saved": "It is saved.",
    "on": "It is switched on. Deliver again what it has missed, if you like.",
    "off": "It is switched off.",
    "tested": "The endpoint has taken a test event.",
    "again": "It is on its way again.",
    "removed": "The webhook is removed.",
}
DAYS = {"1": "the last day", "7": "the last week", "30": "the last 30 days"}


@dataclass(frozen=True, slots=True)
class WebhookView:
    """A webhook for a template. `state` is `on`, `failing` or `off`."""

    id: str
    url: str
    note: str
    kinds: tuple[str, ...]
    about: str
    state: str
    because: str
    waiting: int
    dead: int
    created: Moment
    delivered: Moment | None
    failing: Moment | None
    old_until: Moment | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A delivery for a template."""

    id: str
    title: str
    message: str
    state: str
    attempts: int
    created: Moment
    following: Moment | None
    trouble: str


def _maybe(at: float | None) -> Moment | None:
    return moment(at) if at is not None else None


def webhook_view(status: WebhookStatus, now: float) -> WebhookView:
    """A webhook at `now`."""
    one = status.webhook
    state = "off" if one.disabled_at is not None else "failing" if one.failing_since is not None else "on"
    return WebhookView(
        one.id,
        one.url,
        one.note,
        one.kinds,
        f"{len(one.kinds)} kinds of events"
        if len(one.kinds) > 1
        else words(one.kinds[0])
        if one.kinds
        else "All events",
        state,
        one.disabled_because,
        status.waiting,
        status.dead,
        moment(one.created_at),
        _maybe(one.delivered_at),
        _maybe(one.failing_since),
        _maybe(one.old_until) if one.old_until is not None and now < one.old_until else None,
    )


def delivery_view(delivery: Delivery) -> DeliveryView:
    """A delivery."""
    return DeliveryView(
        delivery.id,
        words(delivery.notice.kind),
        delivery.notice.id,
        delivery.state.value,
        delivery.attempts,
        moment(delivery.created_at),
        _maybe(delivery.next_at),
        delivery.error_detail or "",
    )


@get(WEBHOOKS, guards=GUARDS, include_in_schema=False)
async def show_webhooks(
    request: AnyRequest,
    notifications: NamedDependency[Notifications],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """The webhooks there are, and the form for another one."""
    return await _list_page(request, notifications, mail, frame, flash=DONE.get(done))


@post(WEBHOOKS, guards=GUARDS, include_in_schema=False)
async def add_webhook(
    request: AnyRequest,
    notifications: NamedDependency[Notifications],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[str]:
    """Add one, and show its secret, once."""
    form = await typed(request)
    try:
        made = await notifications.webhooks.create(form["url"], _kinds(form), form["note"], actor_of(request))
    except StreamhostError as error:
        return await _list_page(request, notifications, mail, frame, error, form)
    return await _one_page(request, notifications, mail, frame, made.webhook.id, secret=made.secret)


@get(f"{WEBHOOKS}/{{webhook_id:str}}", guards=GUARDS, include_in_schema=False)
async def show_webhook(
    request: AnyRequest,
    webhook_id: FromPath[str],
    notifications: NamedDependency[Notifications],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """How it fares, what was sent, and what can be done with it."""
    return await _one_page(request, notifications, mail, frame, webhook_id, flash=DONE.get(done))


@post(f"{WEBHOOKS}/{{webhook_id:str}}", guards=GUARDS, opt=limited(RouteClass.API), include_in_schema=False)
async def act_on_webhook(
    request: AnyRequest,
    webhook_id: FromPath[str],
    notifications: NamedDependency[Notifications],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Do what the form's field `do` says."""
    form, room, by = await typed(request), notifications.webhooks, actor_of(request)
    name, here = WebhookId(webhook_id), f"{WEBHOOKS}/{webhook_id}"
    try:
        match form["do"]:
            case "save":
                await room.change(name, by, url=form["url"], kinds=_kinds(form), note=form["note"])
                return see(f"{here}?done=saved")
            case "on" | "off":
                await room.change(name, by, enabled=form["do"] == "on")
                return see(f"{here}?done={form['do']}")
            case "test":
                await room.test(name)
                return see(f"{here}?done=tested")
            case "rotate":
                made = await room.rotate(name, by)
                return await _one_page(request, notifications, mail, frame, webhook_id, secret=made.secret)
            case "again":
                await room.replay(name, DeliveryId(form["delivery"]), by)
                return see(f"{here}?done=again")
            case "all again":
                if form["days"] not in DAYS:
                    raise InvalidInput(fields={"days": "Choose one of these."})
                since = frame.now() - int(form["days"]) * 24 * HOUR
                await room.replay_since(name, since, by)
                return see(f"{here}?done=again")
            case "remove":
                await room.remove(name, by)
                return see(f"{WEBHOOKS}?done=removed")
            case _:
                raise NotFound
    except NotFound:
        raise
    except StreamhostError as error:
        return await _one_page(request, notifications, mail, frame, webhook_id, error, form)


def _kinds(form: Texts) -> list[str]:
    """The events that are ticked; all of them count as none in particular, so that later ones come too."""
    return [] if form["all"] else [name.removeprefix(KIND) for name in form if name.startswith(KIND)]


async def _list_page(
    request: AnyRequest,
    notifications: Notifications,
    mail: Mail,
    frame: Frame,
    error: StreamhostError | None = None,
    form: Texts | None = None,
    flash: str | None = None,
) -> Response[str]:
    room = notifications.webhooks
    return await admin_page(
        request,
        frame,
        mail,
        "admin_webhooks.html",
        **failing(error),
        webhooks=[webhook_view(one, frame.now()) for one in await room.listed()],
        kinds=[(kind, words(kind)) for kind in room.kinds()],
        form=kept(form or Texts(all="on")),
        flash=flash,
    )


async def _one_page(
    request: AnyRequest,
    notifications: Notifications,
    mail: Mail,
    frame: Frame,
    webhook_id: str,
    error: StreamhostError | None = None,
    form: Texts | None = None,
    flash: str | None = None,
    secret: str = "",
) -> Response[str]:
    room = notifications.webhooks
    one = webhook_view(await room.get(WebhookId(webhook_id)), frame.now())
    chosen = Texts({f"{KIND}{kind}": "on" for kind in one.kinds} | ({} if one.kinds else {"all": "on"}))
    if form is None or form["do"] != "save":
        form = Texts(chosen | {"url": one.url, "note": one.note})
    dead = await room.deliveries(WebhookId(webhook_id), DeliveryState.DEAD)
    status = status_of(error) if error else HTTP_200_OK
    return await admin_page(
        request,
        frame,
        mail,
        "admin_webhook.html",
        status if status < 500 else HTTP_200_OK,
        webhook=one,
        kinds=[(kind, words(kind)) for kind in room.kinds()],
        dead=[delivery_view(delivery) for delivery in dead],
        recent=[
            delivery_view(delivery)
            for delivery in await room.deliveries(WebhookId(webhook_id), limit=30)
            if delivery.state is not DeliveryState.DEAD
        ],
        days=list(DAYS.items()),
        secret=secret,
        form=kept(form),
        error=complaint(error) if error else None,
        errors=Texts(error.fields) if error else Texts(),
        flash=flash,
    )


routes = [show_webhooks, add_webhook, show_webhook, act_on_webhook]
