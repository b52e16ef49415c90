"""Spoil thousands of media files, then repeat the tests that look for rare failures: `python scripts/soak.py 10`.

First every mutated file goes through a media child with limits (`tests/support/mutants.py`); that takes as long as it
takes. Then the tests run for the minutes given; each round shuffles chance anew, also for the properties, which
`make test` tries with the same examples every time. The first failure ends the run, and its output says how to repeat
it.
"""

from __future__ import annotations

import subprocess
import sys
import time

from prepare import ROOT

DEFAULT_MINUTES = 10.0
MUTANTS = 2000
"""Files to spoil, by another seed each day, so that days add up."""
DAY = 24 * 3600
RARE = ("tests/crash", "tests/contracts", "tests/flows")
PROPERTIES = ("tests/unit", "tests/protocol", "-m", "hypothesis")


def main(words: list[str]) -> int:
    """Run rounds; 0 only when at least one was finished and none failed."""
    minutes = float(words[0]) if words else DEFAULT_MINUTES
    command = [sys.executable, "-m", "tests.support.mutants", str(MUTANTS), str(int(time.time()) // DAY)]
    code = subprocess.run(command, cwd=ROOT).returncode
    if code:
        return code
    end = time.monotonic() + 60 * minutes
    rounds = 0
    while time.monotonic() < end:
        rounds += 1
        print(f"round {rounds}, {(end - time.monotonic()) / 60:.1f} minutes left", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "2", "--dist", "loadfile", "--timeout", "600"]
        for tests in (PROPERTIES, RARE):
            code = subprocess.run([*command, "--hypothesis-profile", "chance", *tests], cwd=ROOT).returncode
            if code:
                return code
    print(f"{rounds} rounds without a failure")
    return 0 if rounds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
