"""The administration: the models that look at pictures and words."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from streamhost.features.mail import Mail
from streamhost.features.models import ModelDesk
from streamhost.server.auth import actor_of
from streamhost.server.pages.admin_frame import GUARDS, admin_page
from streamhost.server.pages.desk_shapes import ASPECTS
from streamhost.server.pages.forms import see, typed
from streamhost.server.pages.frame import Frame
from streamhost.server.pages.model_shapes import model_views

AnyRequest = Request[Any, Any, Any]
MODELS = "/admin/models"
DONE = {
    "install": "It is brought here in the background.",
    "remove": "It is removed. What it looked for is said to be missing from now on, never taken for clean.",
}


@get(MODELS, guards=GUARDS, include_in_schema=False)
async def show_models(
    request: AnyRequest,
    model_desk: NamedDependency[ModelDesk],
    mail: NamedDependency[Mail],
    frame: NamedDependency[Frame],
    done: FromQuery[str] = "",
) -> Response[str]:
    """Every model that is known, whether it is here, and what nothing looks for."""
    unseen = [ASPECTS[aspect] for aspect in sorted(model_desk.models.without_model())]
    models = model_views(await model_desk.states())
    return await admin_page(
        request, frame, mail, "admin_models.html", models=models, unseen=unseen, flash=DONE.get(done)
    )


@post(MODELS + "/{model_id:str}", guards=GUARDS, include_in_schema=False)
async def steer_model(
    request: AnyRequest, model_id: FromPath[str], model_desk: NamedDependency[ModelDesk]
) -> Response[Any]:
    """Bring a model here, or remove it."""
    do = (await typed(request))["do"]
    if do == "remove":
        await model_desk.remove(model_id, actor_of(request))
    else:
        await model_desk.ask(model_id, actor_of(request))
    return see(f"{MODELS}?done={'remove' if do == 'remove' else 'install'}")


routes = [show_models, steer_model]
