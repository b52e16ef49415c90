"""`streamhost completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import json

import click
from click.shell_completion import get_completion_class

VARIABLE = "_STREAMHOST_COMPLETE"
PROGRAM = "streamhost"
PLACES = {
    "bash": "~/.local/share/bash-completion/completions/streamhost",
    "zsh": "a file _streamhost in a directory of $fpath",
    "fish": "~/.config/fish/completions/streamhost.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(PLACES)))
@click.option("--json", "as_json", is_flag=True, help="For programs: JSON instead of the script alone.")
@click.pass_context
def completion(ctx: click.Context, shell: str, as_json: bool) -> None:
    """Print the script by which SHELL completes streamhost's commands and options.

    \b
    bash:  streamhost completion bash > ~/.local/share/bash-completion/completions/streamhost
    zsh:   streamhost completion zsh > ~/.zfunc/_streamhost   (with fpath+=~/.zfunc before compinit)
    fish:  streamhost completion fish > ~/.config/fish/completions/streamhost.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, "one of those that click knows"
    # The template of click's class alone: asking the shell for its version is not needed to print it.
    made = kind(ctx.find_root().command, {}, PROGRAM, VARIABLE)
    # zsh takes a file on its $fpath for the function of the same name. Only if the file defines that function itself is
    # it called by later presses of Tab; otherwise the second one would define it again and complete nothing.
    script = made.source_template % (made.source_vars() | {"complete_func": f"_{PROGRAM}"})
    click.echo(json.dumps({"shell": shell, "place": PLACES[shell], "script": script}) if as_json else script)
