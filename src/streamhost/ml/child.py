"""The child that runs models: reads one `work.Work` as JSON and answers in lines of JSON.

On the way `{"progress": share, "step": model}`, and as soon as each is known `{"looked": …}`, `{"failed": …}` and
`{"read": …}`; lastly `{"result": {}}`. One model is in memory at a time. A model that fails as it should is a
`failed`; one that brings the process down is known by the last step.
"""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

import msgspec

from streamhost.ml.looking import screen, try_out
from streamhost.ml.work import Work


def main() -> int:
    """Carry out the work on standard input; return the exit code."""
    answers = _claim_stdout()

    def say(message: object) -> None:
        answers.write(msgspec.json.encode(message) + b"\n")
        answers.flush()

    work = msgspec.json.decode(sys.stdin.buffer.read(), type=Work)
    (try_out if work.trial else screen)(work, say)
    say({"result": {}})
    return 0


def _claim_stdout() -> BinaryIO:
    """Keep standard output for answers alone: what libraries print goes to standard error."""
    sys.stdout.flush()
    kept = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return kept
