"""The media child: ``python -m streamhost.media.child`` reads one task as JSON and answers in lines of JSON.

In: one task (``tasks.to_json``) up to the end of the input. Out: ``{"progress": 0.31, "step": "encode"}`` while the
work goes on, then ``{"result": ...}``, or ``{"error": {"code", "detail", "permanent", "hint"}}``. The exit code is 0
only with a result.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import BinaryIO

import av
import av.logging

from streamhost.media import processor, tasks, wire
from streamhost.media.errors import MediaError, TaskFailed
from streamhost.media.execute import execute
from streamhost.sandbox_child import OUT_OF_MEMORY


def main() -> int:
    """Carry out the task on standard input; return the exit code."""
    answers = _claim_stdout()
    gc.freeze()  # what is loaded stays; the collector need not look at it again and again
    av.logging.set_level(av.logging.ERROR)
    processor.tell_ffmpeg()

    def say(message: object) -> None:
        answers.write(wire.dumps(message) + b"\n")
        answers.flush()

    def report(share: float, step: str) -> None:
        say({"progress": round(share, 4), "step": step})

    try:
        task = tasks.from_json(sys.stdin.buffer.read())
        report(0.0, "start")
        say({"result": execute(task, report)})
    except MediaError as error:
        say({"error": describe(error)})
        return 1
    except MemoryError:
        answers.write(OUT_OF_MEMORY)
        answers.flush()
        return 1
    except Exception as error:  # the parent must hear of every failure, whatever it is
        say({"error": describe(TaskFailed(f"{type(error).__name__}: {error}"))})
        return 1
    return 0


def describe(error: MediaError) -> dict[str, object]:
    """Return an error as the last line says it."""
    return {"code": error.code, "detail": error.detail, "permanent": error.permanent, "hint": error.hint}


def _claim_stdout() -> BinaryIO:
    """Keep standard output for answers alone: what libraries print goes to standard error."""
    sys.stdout.flush()
    kept = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return kept


if __name__ == "__main__":
    sys.exit(main())
