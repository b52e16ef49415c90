"""`streamhost moderation`: what waits for a person, decisions, the policy, and looking at every video again."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import click

from streamhost.cli.case_desks import CaseDesk, cases_of
from streamhost.cli.remote import Document
from streamhost.cli.where import Where, somewhere
from streamhost.features.moderation.errors import ChangedMeanwhile
from streamhost.model.cases import Cause
from streamhost.model.errors import StreamhostError
from streamhost.model.moderation import Category
from streamhost.model.reasons import TEMPLATES, reason_text
from streamhost.model.verdicts import Profile, Risk

LOOK_EVERY = 1.0
PATIENCE = 30.0
"""Seconds without progress after which it is said that a server has to run."""
COLOURS = {"high": "red", "medium": "yellow", "unknown": "yellow", "low": "green"}
UNDERWAY = ("looking", "applying")
LOOK_FIRST = "Look at it by `streamhost moderation show`, then say which version: --seen."
LOOKS = {
    "screened": "screened",
    "partly": "not all models did their part",
    "failed": "could not be screened",
    "not_installed": "not installed",
    "not_screened": "not screened: the policy asks nobody to",
    "nothing": "nothing to look at",
}


class RescreenEnded(StreamhostError):
    """The look at all videos was ended by somebody."""

    code = "rescreen_ended"
    permanent = True


_where = somewhere("Access token of a moderator.")


_new_file = click.option(
    "--new-file", is_flag=True, help="The file that is to take the place of the one that plays, not the video."
)


@click.group()
def moderation() -> None:
    """Review what models held and viewers reported, at a running server or on a data directory."""


@moderation.command()
@click.option("--risk", type=click.Choice([one.value for one in Risk]), help="Only cases of this risk.")
@click.option(
    "--category", type=click.Choice([one.value for one in Category]), help="Only cases in which this was found."
)
@click.option("--cause", type=click.Choice([one.value for one in Cause]), help="Only cases that wait because of this.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@_where
def queue(
    risk: str | None,
    category: str | None,
    cause: str | None,
    limit: int,
    where: Where,
    as_json: bool,
) -> None:
    """List what waits for a person, the highest risk first, among equals the oldest."""
    found = cases_of(where).queue({"risk": risk, "category": category, "cause": cause}, limit)
    if as_json:
        _print({"items": found})
        return
    for one in found:
        case = one["case"]
        about = f" ({', '.join(case['categories'])})" if case["categories"] else ""
        held = f", {case['reviewer']} has it" if case["reviewer"] else ""
        risk_text = click.style(f"{one['risk']:7}", fg=COLOURS[one["risk"]])
        click.echo(f"{one['id']}  {risk_text}  {(case['opened_at'] or '')[:16]}  {one['title']}")
        click.echo(f"    {case['cause']}{about}, by {one['video']['owner']['name']}{held}{_scores(one['scores'])}")
    if not found:
        click.echo("Nothing waits.")


@moderation.command()
@click.argument("video")
@_new_file
@_where
def show(video: str, new_file: bool, where: Where, as_json: bool) -> None:
    """Show all that is known of VIDEO (its id): what was looked for, evidence, models, reports by viewers, history.

    The version names what is shown, for `approve --seen`."""
    desk = cases_of(where)
    found, reports = desk.show(video, new_file=new_file), desk.reports(video)
    if as_json:
        _print({**found, "reports": reports})
        return
    click.secho(found["video"]["title"], bold=True)
    click.echo(f"{found['video']['state']}, by {found['video']['owner']['name']}; version {found['version']}")
    if found["new_file_waits"]:
        click.echo("This is its new file." if new_file else "A new file waits to take its place; see --new-file.")
    if found["changed"]:
        click.secho("It was changed after models have looked.", fg="yellow")
    case, verdict = found["case"], found["verdict"]
    if case:
        held = f"; {case['reviewer']} has it" if case["reviewer"] else ""
        click.echo(f"waits since {(case['opened_at'] or '')[:16]}: {case['cause']}, {case['risk']} risk{held}")
    if verdict is None:
        click.echo("No model has looked at it.")
    else:
        _tell_verdict(verdict)
    if reports:
        click.echo("\nReports by viewers")
    for one in reports:
        over = f", {one['outcome']}" if one["outcome"] else ""
        words = f"  {json.dumps(one['text'], ensure_ascii=False)}" if one["text"] else ""
        click.echo(f"{_place(one['at'])}  {(one['created_at'] or '')[:16]}  {one['reason']}{over}{words}")
    if found["history"]:
        click.echo("\nHistory")
    for one in found["history"]:
        who = one["person"] or one["by"]
        over = ", taken back" if one["undone_at"] else ""
        click.echo(f"  {(one['at'] or '')[:16]}  {one['decision']} by {who}{over}  {one['reason']}".rstrip())


@moderation.command()
@click.argument("video", required=False)
@click.option("--over", is_flag=True, help="Take VIDEO from whoever has it.")
@_where
def claim(video: str | None, over: bool, where: Where, as_json: bool) -> None:
    """Take VIDEO (its id), or the first case that nobody has: for ten minutes nobody else can decide about it.

    Again, it is yours for ten more. A case is somebody's, so this works at a server alone."""
    if over and video is None:
        raise click.UsageError("--over is for a VIDEO; cases that somebody has are not the first.")
    case = cases_of(where).claim(video, over=over)
    if as_json:
        _print(case)
        return
    click.echo(f"{case['video_id']}  {case['risk']} risk, yours until {(case['claimed_until'] or '')[11:16]} UTC")


@moderation.command()
@click.argument("video")
@_where
def release(video: str, where: Where, as_json: bool) -> None:
    """Let go of VIDEO, so that others can take it."""
    cases_of(where).release(video)
    if as_json:
        _print({"released": video})
        return
    click.echo(f"{video} is free.")


@moderation.command()
@click.argument("videos", nargs=-1, required=True)
@click.option("--seen", default="", help="The version that you have looked at, of one video; see `show`.")
@click.option("--note", default="", help="For other moderators.")
@_new_file
@_where
def approve(
    videos: Sequence[str],
    seen: str,
    note: str,
    new_file: bool,
    where: Where,
    as_json: bool,
) -> None:
    """Approve VIDEOS (ids): whoever may see them can watch them, and open reports are dismissed.

    Nothing is approved that was changed since the version of --seen. Without one, what models have looked at counts as
    seen: what was changed after that is refused."""
    if seen and len(videos) != 1:
        raise click.UsageError("--seen is the version of one video.")
    desk = cases_of(where)
    wanted = {"decision": "approve", "reason": "", "note": note, "new_file": new_file}
    versions = [(one, seen or _looked_at(desk, one, new_file)) for one in videos]
    _decided([desk.decide(one, {**wanted, "seen": version}) for one, version in versions], as_json)


@moderation.command()
@click.argument("videos", nargs=-1, required=True)
@click.option("--reason", default="", help="What the owner is told.")
@click.option(
    "--template",
    type=click.IntRange(1, len(TEMPLATES)),
    help="One of the reasons of the desk by its number: "
    + "; ".join(f"{number} {one.label}" for number, one in enumerate(TEMPLATES, 1))
    + ".",
)
@click.option("--note", default="", help="For other moderators.")
@_new_file
@_where
def reject(
    videos: Sequence[str],
    reason: str,
    template: int | None,
    note: str,
    new_file: bool,
    where: Where,
    as_json: bool,
) -> None:
    """Reject VIDEOS (ids): nobody but moderators can watch them, and every link to them ends."""
    words = reason_text(str(template or ""), reason)
    if not words:
        raise click.UsageError("Tell the owner why: --reason, or --template.")
    desk = cases_of(where)
    wanted = {"decision": "reject", "reason": words, "note": note, "seen": "", "new_file": new_file}
    _decided([desk.decide(one, wanted) for one in videos], as_json)


@moderation.command()
@click.argument("video")
@_where
def undo(video: str, where: Where, as_json: bool) -> None:
    """Take the newest decision of a person about VIDEO back; it waits once more."""
    _decided([cases_of(where).undo(video)], as_json)


@moderation.command()
@click.argument("profile", required=False, type=click.Choice([one.value for one in Profile]))
@_where
def policy(profile: str | None, where: Where, as_json: bool) -> None:
    """Show how the site decides, or choose its PROFILE. Choosing needs an administrator."""
    found = cases_of(where).policy(profile)
    if as_json:
        _print(found)
        return
    click.echo(f"Profile: {found['profile']}{' (fixed by moderation.profile)' if found['fixed'] else ''}")
    click.echo(f"Approved unseen: what {found['trusted'] or 'nobody'} and above upload; {found['publish']}")
    for aspect, lines in found["lines"].items():
        if aspect in found["ignored"]:
            click.echo(f"{aspect:10}  not screened")
            continue
        missing = click.style("  not installed", fg="yellow") if aspect in found["without_model"] else ""
        frames = f"{lines['frames']} picture{'' if lines['frames'] == 1 else 's'}"
        click.echo(f"{aspect:10}  a person from {lines['medium']:g}, high from {lines['high']:g}, {frames}{missing}")


@moderation.command()
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@_where
def rescreen(dry_run: bool, where: Where, as_json: bool) -> None:
    """Look at every video again, after models or the policy have changed, and make what follows so.

    A server does the work; this command waits for it. What people decided about what has not changed stays."""
    desk = cases_of(where)
    run = _wait(desk, desk.rescreen(), quiet=as_json)
    changes = desk.changes(run["id"])
    if not as_json:
        _tell_changes(run, changes)
    if not dry_run and changes:
        run = _wait(desk, desk.apply(run["id"]), quiet=as_json)
        changes = desk.changes(run["id"])
    if dry_run or not changes:
        desk.cancel(run["id"])
    if as_json:
        _print({"run": run, "changes": changes, "applied": run["state"] == "applied"})
    elif run["state"] == "applied":
        click.echo(f"Changed: {sum(one['applied'] for one in changes)}.")


def _looked_at(desk: CaseDesk, video: str, new_file: bool) -> str:
    """The version of a video that models have looked at. Raises `ChangedMeanwhile` where it is not what it was then."""
    found = desk.show(video, new_file=new_file)
    if found["changed"]:
        raise ChangedMeanwhile(f"{found['video']['title']} (version {found['version']})", hint=LOOK_FIRST)
    version: str = found["version"]
    return version


def _wait(desk: CaseDesk, run: Document, *, quiet: bool) -> Document:
    """The run once nothing is underway any more. Raises `RescreenEnded`."""
    done, moved, warned = -1, time.monotonic(), False
    while run["state"] in UNDERWAY:
        if run["done"] != done:
            done, moved = run["done"], time.monotonic()
            if not quiet:
                click.echo(
                    f"{'Looking' if run['state'] == 'looking' else 'Changing'}: {done} of {run['total']}", err=True
                )
        elif not warned and time.monotonic() - moved > PATIENCE:
            warned = True
            click.echo("Nothing moves. Does a server run here? It does the work.", err=True)
        time.sleep(LOOK_EVERY)
        run = desk.run(run["id"])
    if run["state"] == "cancelled":
        raise RescreenEnded(f"{run['done']} of {run['total']} videos were looked at.")
    return run


def _tell_changes(run: Document, changes: Sequence[Document]) -> None:
    many = len(changes)
    click.echo(
        f"{many} of {run['total']} videos would change." if many else f"{run['total']} videos: none would change."
    )
    for one in changes:
        click.echo(f"{one['video_id']}  {one['before']} -> {one['after']}  {one['risk']} risk  {one['title']}")
    if run["failed"]:
        click.secho(f"{run['failed']} could not be looked at.", fg="yellow")


def _tell_verdict(verdict: Document) -> None:
    click.echo(f"\nWhat was looked for ({click.style(verdict['risk'] + ' risk', fg=COLOURS[verdict['risk']])})")
    for one in verdict["looked"]:
        score = "" if one["score"] is None else f"{one['score']:.2f}  "
        click.echo(f"  {one['aspect']:10}  {score}{LOOKS.get(one['state'], one['state'])}")
    for gap in verdict["gaps"]:
        if gap["detail"]:
            click.echo(f"    {gap['aspect']}: {gap['detail']}")
    if verdict["evidence"]:
        click.echo("Evidence")
    for one in verdict["evidence"]:
        words = json.dumps(one["text"], ensure_ascii=False) if one["text"] else "picture"
        click.echo(f"{_place(one['at'])}  {one['aspect']:10}  {one['score']:.2f}  {words}")
    models = ", ".join(f"{one['id']} {one['version']}" for one in verdict["models"])
    click.echo(f"Models: {models or 'none'}")


def _place(at: float | None) -> str:
    return " " * 10 if at is None else f"  {at:7.1f}s"


def _decided(files: Sequence[Document], as_json: bool) -> None:
    if as_json:
        _print({"items": list(files)})
        return
    for file in files:
        click.echo(f"{file['video']['id']}  {file['video']['state']:8}  {file['video']['title']}")


def _scores(scores: dict[str, Any]) -> str:
    known = [f"{name} {score:.2f}" for name, score in scores.items() if score is not None]
    return f"; {', '.join(known)}" if known else ""


def _print(document: object) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
