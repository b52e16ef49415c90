"""`python -m streamhost.db.migrations CATALOG`: apply the missing steps, in a process that ends afterwards."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Apply them. sqlite-utils loads NumPy where it finds it, to store its kinds of numbers; no step does that, and a
    first start would wait for it longer than for the steps."""
    sys.modules.setdefault("numpy", None)  # type: ignore[arg-type]  # the import system's word for "not to be had"
    from streamhost.db.migrations.steps import apply  # noqa: PLC0415 - after the line above

    apply(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
