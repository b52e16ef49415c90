"""`streamhost recommend`: train and measure the model that proposes videos, see how it stands, and reset it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from streamhost.cli.beside import settings_beside, with_host
from streamhost.cli.jobs import followed
from streamhost.cli.options import data_option, json_option
from streamhost.cli.people_desks import ServerPeople
from streamhost.cli.remote import Document, Remote, as_document
from streamhost.cli.where import FOR_ADMINS, Where, somewhere
from streamhost.features.recommendations import Evaluation, Recommended, ahead_in_words
from streamhost.host import Host
from streamhost.model.accounts import Viewer
from streamhost.model.recommendations import TooLittleWatched
from streamhost.server.documents.keeping import recommender_document

T = TypeVar("T")
ADDRESS = "/api/v1/admin/recommender"
CATCH_UP_STEPS = 1_000_000
"""More than there is to do: the watch graph is brought up to date as a whole."""


@click.group()
def recommend() -> None:
    """Train, measure and reset what proposes videos. Works beside a running server, which then uses the new model."""


@recommend.command()
@somewhere(FOR_ADMINS)
def train(where: Where, as_json: bool) -> None:
    """Learn from what was watched, and bring the watch graph up to date. The server does both by itself.

    Needs some tens of views by several people; with fewer, exit code 1 and the model stays as it is. At a server it is
    a job like others, and nothing is done where nothing was watched since the last time.
    """

    async def learn(host: Host) -> dict[str, Any]:
        report = _teller(as_json)
        await host.recommending.keeping.catch_up(CATCH_UP_STEPS, report)
        trained = await host.recommending.learning.train(report)
        return {
            "videos": trained.videos,
            "viewers": trained.viewers,
            "watched": trained.watched,
            "seconds": round(trained.seconds, 3),
        }

    found = where.desk(lambda remote: _trained_at(remote, _teller(as_json)), lambda data: _with(data, learn))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(
        f"Learned {found['videos']} videos from {found['viewers']} viewers, who watched {found['watched']} times, "
        f"in {found['seconds']:.1f} seconds."
    )


def _trained_at(remote: Remote, report: Callable[[float, str], None]) -> dict[str, Any]:
    """Begin the job at a server and stay until it is over. Raises `TooLittleWatched` where there is no model then."""
    if (job := remote.document("POST", f"{ADDRESS}/train")["job"]) is not None:
        followed(remote, job, report)
    trained: dict[str, Any] | None = remote.document("GET", ADDRESS)["trained"]
    if trained is None:
        raise TooLittleWatched
    return trained


@recommend.command("eval")
@click.option(
    "--dataset",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Measure on this table (user, item, timestamp; such as RecBole's .inter files) instead of this site's views.",
)
@click.option(
    "--split",
    "way",
    type=click.Choice(["time", "last", "random"]),
    default="time",
    show_default=True,
    help="What is asked for: what came after a moment, everybody's last video, or a tenth of everybody's.",
)
@click.option("--most", default=20_000, show_default=True, help="Viewers to ask about, drawn if there are more.")
@click.option(
    "--report", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with plots (HTML) there."
)
@data_option
@json_option
def evaluate(dataset: Path | None, way: str, most: int, page: Path | None, data: Path | None, as_json: bool) -> None:
    """Measure the model against item-kNN and popularity: NDCG, recall, coverage, novelty.

    A model is trained for that on a part and asked for the rest; the one that serves stays as it is. Every video is
    ranked for every viewer.

    Only on a data directory: it computes for minutes with all that everybody watched.
    """
    source = dataset.absolute() if dataset else None

    async def measure(host: Host) -> Evaluation:
        return await host.recommending.learning.evaluate(way, source, most, _teller(as_json))

    found = _with(data, measure)
    if page is not None:
        page.write_text(found.page(time.time()), "utf-8")
    if as_json:
        click.echo(json.dumps(found.document(), indent=2))
        return
    click.echo(
        f"{found.watched} times one of {found.viewers} viewers watched one of {found.videos} videos; "
        f"asked about {found.asked} viewers."
    )
    click.echo(f"{'':12} {'NDCG@10':>16} {'recall@10':>16} {'coverage':>9} {'novelty':>8}  model ahead by")
    for one in found.figures:
        ndcg, recall = f"{one.ndcg:.4f} ± {one.ndcg_error:.4f}", f"{one.recall:.4f} ± {one.recall_error:.4f}"
        rest = f"{one.coverage:>9.1%} {one.novelty:>8.2f}  {ahead_in_words(one)}"
        click.echo(f"{one.name:12} {ndcg:>16} {recall:>16} {rest}".rstrip())
    if page is not None:
        click.echo(f"The plots are in {page}.")


@recommend.command()
@somewhere(FOR_ADMINS)
def status(where: Where, as_json: bool) -> None:
    """Show the model, what it has learned from, and the watch graph."""

    async def look(host: Host) -> Document:
        return as_document(recommender_document(await host.recommending.tuning.status()))

    found = where.desk(lambda remote: remote.document("GET", ADDRESS), lambda data: _with(data, look))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    if (one := found["trained"]) is None:
        click.echo("There is no model yet; `streamhost recommend train` makes one.")
    else:
        click.echo(f"Model of {found['trained_at']}: {one['videos']} videos, {found['model_bytes'] / 1e6:.1f} MB")
        click.echo(f"  learned from {one['watched']} views by {one['viewers']} viewers in {one['seconds']:.1f} seconds")
    click.echo(f"Watch graph: {found['graph']['videos']} edges of videos, {found['graph']['viewers']} of viewers")
    click.echo(f"  {found['waiting']} videos and viewers wait for theirs to be made anew")
    click.echo(f"Sources: {', '.join(found['sources'])}")


@recommend.command()
@click.argument("email", required=False)
@click.option("--limit", default=12, show_default=True, type=click.IntRange(1, 100), help="Videos at most.")
@somewhere("API token, good for `read`, where --url is given.")
def show(email: str | None, limit: int, where: Where, as_json: bool) -> None:
    """Show what is proposed to a user, and why.

    At a server it is the one whose token is given: what others watch is for nobody to read there.
    """
    if where.url is None and email is None:
        raise click.UsageError("Whose? Name an address.")
    if where.url is not None and email is not None:
        raise click.UsageError("At a server only what is proposed to the token's owner can be seen: leave out EMAIL.")
    items = where.desk(lambda remote: _shown_at(remote, limit), lambda data: _shown_in(data, str(email), limit))
    if as_json:
        click.echo(json.dumps({"items": items}, ensure_ascii=False, indent=2))
        return
    for one in items:
        click.echo(f"{one['id']}  {one['score']:.2f}  {one['title']}  ({one['reason']})")
    if not items:
        click.echo("Nothing: there is no public video that they have not watched.")


def _shown_at(remote: Remote, limit: int) -> list[Document]:
    found = remote.document("GET", f"/api/v1/recommendations?limit={limit}")["items"]
    return [_row(one["video"]["id"], one["video"]["title"], one["score"], one["reason"]) for one in found]


def _shown_in(data: Path | None, email: str, limit: int) -> list[Document]:
    async def look(host: Host) -> Recommended:
        user = await host.accounts.people.by_email(email)
        await host.recommending.server.ready()
        return await host.recommending.room.recommend(Viewer(user), f"u:{user.id}", limit)

    return [_row(one.video.id, one.video.title, one.score, one.reason) for one in _with(data, look).items]


def _row(video: str, title: str, score: float, reason: str) -> Document:
    return {"id": video, "title": title, "score": round(score, 4), "reason": reason}


@recommend.command()
@click.option("--user", "email", help="Begin anew for this user alone, by address: what they watched counts no more.")
@somewhere(FOR_ADMINS)
def reset(email: str | None, where: Where, as_json: bool) -> None:
    """Remove the model; it is made anew by `train`, or by the server at night. What was watched stays."""

    async def forget(host: Host) -> bool:
        if email is not None:
            user = await host.accounts.people.by_email(email)
            await host.recommending.room.reset(f"u:{user.id}")
            return True
        return await asyncio.to_thread(host.recommending.tuning.reset)

    def forget_at(remote: Remote) -> bool:
        if email is not None:
            remote.document("DELETE", f"{ServerPeople(remote).place(email)}/recommendations")
            return True
        return bool(remote.document("DELETE", ADDRESS)["removed"])

    done = where.desk(forget_at, lambda data: _with(data, forget))
    if as_json:
        click.echo(json.dumps({"reset": done}))
    elif email is not None:
        click.echo(f"{email} begins anew.")
    else:
        click.echo("The model is gone." if done else "There was no model.")


def _teller(as_json: bool) -> Callable[[float, str], None]:
    """Prints each new step where people look on."""
    last = ""

    def tell(_share: float, step: str) -> None:
        nonlocal last
        if step != last and not as_json:
            click.echo(f"{step} …", err=True)
        last = step

    return tell


def _with(data: Path | None, work: Callable[[Host], Coroutine[Any, Any, T]]) -> T:
    async def closing(host: Host) -> T:
        try:
            return await work(host)
        finally:
            await host.recommending.close()

    return with_host(settings_beside(data), closing)
