"""`streamhost videos list`, `show`, `edit`, `trash`, `restore`, `delete` and `download`: at a server, or on a data
directory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from streamhost.cli.bars import byte_bars
from streamhost.cli.remote import Document
from streamhost.cli.tables import length_text, print_table, size_text
from streamhost.cli.video_desks import desk_of
from streamhost.cli.where import Where, somewhere
from streamhost.model.videos import Protection, VideoState, Visibility
from streamhost.model.words import blanked

STATES = [state.value for state in VideoState]


_where = somewhere("Access token of the videos' owner.")


@click.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--owner", help="Only those of the account with this address; on a data directory.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="At most so many.")
@_where
def list_videos(
    state: str | None,
    owner: str | None,
    limit: int,
    where: Where,
    as_json: bool,
) -> None:
    """List videos, newest first: at a server your own in every state, on a data directory everybody's."""
    found = desk_of(where).listed(state, owner, limit)
    if as_json:
        click.echo(json.dumps({"items": found}, ensure_ascii=False, indent=2))
        return
    rows = [
        (
            one["id"],
            one["state"] if one["state"] != "processing" else f"processing {one['progress']:.0%}",
            one["visibility"],
            length_text(one["duration"]),
            (one["created_at"] or "")[:10],
            one["owner"]["name"],
            one["title"],
        )
        for one in found
    ]
    print_table(("ID", "STATE", "VISIBILITY", "LENGTH", "SINCE", "OWNER", "TITLE"), rows)


@click.command()
@click.argument("video")
@_where
def show(video: str, where: Where, as_json: bool) -> None:
    """Show everything about VIDEO (its id)."""
    document = desk_of(where).show(video)
    _tell(document, as_json)


@click.command()
@click.argument("video")
@click.option("--title", help="Its title.")
@click.option("--description", help="What it is about.")
@click.option("--tag", "tags", multiple=True, help="A tag, instead of those that it has; may be given several times.")
@click.option("--no-tags", is_flag=True, help="Take all tags away.")
@click.option(
    "--visibility",
    type=click.Choice([one.value for one in Visibility]),
    help="Who may watch it.",
)
@click.option("--password-file", type=click.File("r"), help="File with its password, or - for standard input.")
@click.option("--protection", type=click.Choice([one.value for one in Protection]), help="How segments are encrypted.")
@click.option("--publish-at", help="When it becomes public, such as 2027-01-31T18:00:00Z; `never` takes that back.")
@click.option("--download/--no-download", default=None, help="Whether viewers may take it along as a file.")
@_where
def edit(
    video: str,
    title: str | None,
    description: str | None,
    tags: Sequence[str],
    no_tags: bool,
    visibility: str | None,
    password_file: Any,
    protection: str | None,
    publish_at: str | None,
    download: bool | None,
    where: Where,
    as_json: bool,
) -> None:
    """Change VIDEO (its id): only what is named. On a data directory only while no server runs there.

    Another protection packages the video anew; what plays goes on until that is done.
    """
    if tags and no_tags:
        raise click.UsageError("Either --tag or --no-tags.")
    said: Mapping[str, Any] = {
        "title": title,
        "description": description,
        "tags": list(tags) if tags or no_tags else None,
        "visibility": visibility,
        "password": password_file.read().rstrip("\r\n") if password_file else None,
        "protection": protection,
        "allow_download": download,
    }
    changes = {name: value for name, value in said.items() if value is not None}
    if publish_at is not None:
        changes["publish_at"] = None if publish_at == "never" else publish_at
    if not changes:
        raise click.UsageError("Say what is to change.")
    _tell(desk_of(where).edit(video, changes), as_json)


@click.command()
@click.argument("videos", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@_where
def delete(videos: Sequence[str], yes: bool, where: Where, as_json: bool) -> None:
    """Delete VIDEOS (ids) for good, out of the trash or not. On a data directory only while no server runs there."""
    desk = desk_of(where)
    if not yes:
        titles = "\n".join(f"  {blanked(desk.show(one)['title'])}" for one in videos)
        click.confirm(f"Delete for good:\n{titles}\nSure?", abort=True, err=True)
    for one in videos:
        desk.delete(one)
        if not as_json:
            click.echo(f"{one} is deleted.")
    if as_json:
        click.echo(json.dumps({"deleted": list(videos)}))


@click.command()
@click.argument("videos", nargs=-1)
@click.option("--everybody", is_flag=True, help="At a server: what lies in everybody's trash, for administrators.")
@_where
def trash(videos: Sequence[str], everybody: bool, where: Where, as_json: bool) -> None:
    """Move VIDEOS (ids) to the trash, or without any show what lies there: at a server your own, on a data directory
    everybody's. Out of it they can be restored for as long as the setting trash.days says.

    On a data directory things are moved only while no server runs there.
    """
    desk = desk_of(where)
    if videos:
        for one in videos:
            desk.trash(one)
            if not as_json:
                click.echo(f"{one} is in the trash.")
        if as_json:
            click.echo(json.dumps({"trashed": list(videos)}))
        return
    found = desk.trashed(everybody)
    if as_json:
        click.echo(json.dumps({"items": found}, ensure_ascii=False, indent=2))
        return
    rows = [(one["id"], (one["deleted_at"] or "")[:10], one["owner"]["name"], one["title"]) for one in found]
    print_table(("ID", "SINCE", "OWNER", "TITLE"), rows)


@click.command()
@click.argument("videos", nargs=-1, required=True)
@_where
def restore(videos: Sequence[str], where: Where, as_json: bool) -> None:
    """Bring VIDEOS (ids) back from the trash, as they were. On a data directory only while no server runs there."""
    desk = desk_of(where)
    restored = [desk.restore(one) for one in videos]
    if as_json:
        click.echo(json.dumps({"items": restored}, ensure_ascii=False, indent=2))
        return
    for document in restored:
        click.echo(f"{document['id']} is back: {blanked(document['title'])}")


@click.command()
@click.argument("video")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--source", is_flag=True, help="The file exactly as it was uploaded, while it is kept.")
@click.option("--rendition", help="Which one, such as v480. [default: the best]")
@_where
def download(
    video: str,
    file: Path | None,
    source: bool,
    rendition: str | None,
    where: Where,
    as_json: bool,
) -> None:
    """Bring VIDEO (its id) here as one MP4, or as the uploaded file, into FILE or a file of its own name.

    A server that has no such file yet makes it first. A broken connection is gone on with. Nothing is overwritten.
    """
    if source and rendition:
        raise click.UsageError("Either --source or --rendition.")
    desk = desk_of(where)
    with byte_bars() as bars:
        bar = bars.add_task("Downloading", total=None)
        fetched = desk.download(
            video, file, rendition, source, lambda done, whole: bars.update(bar, completed=done, total=whole)
        )
    size = fetched.path.stat().st_size
    if as_json:
        click.echo(json.dumps({"id": video, "file": str(fetched.path), "bytes": size}, ensure_ascii=False))
    else:
        click.echo(f"{fetched.path}: {size_text(size)}")


def _tell(document: Document, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    renditions = ", ".join(one["name"] for one in document["renditions"] if one["ready"])
    size = f"{document['width']}x{document['height']}" if document["width"] else ""
    lines = {
        "id": document["id"],
        "owner": document["owner"]["name"],
        "state": document["state"] if not document["playable"] else f"{document['state']}, plays",
        "visibility": document["visibility"],
        "protection": document["protection"],
        "length": length_text(document["duration"]),
        "picture": size,
        "renditions": renditions,
        "tags": ", ".join(document["tags"]),
        "uploaded": (document["created_at"] or "")[:16].replace("T", " "),
        "public from": (document["publish_at"] or "")[:16].replace("T", " "),
        "in trash": (document["deleted_at"] or "")[:16].replace("T", " "),
        "source": "kept" if document["source_kept"] else "not kept",
    }
    click.secho(blanked(document["title"]), bold=True)
    for name, value in lines.items():
        if value:
            click.echo(f"{name + ':':12} {blanked(value)}")
    if document["error"]:
        click.secho(f"{document['error']['code']}: {document['error']['detail']}", fg="red")
    if document["description"]:
        click.echo(f"\n{click.unstyle(document['description'])}")


COMMANDS = (list_videos, show, edit, trash, restore, delete, download)
