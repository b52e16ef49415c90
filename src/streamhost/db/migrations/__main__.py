"""`python -m streamhost.db.migrations CATALOG`: apply the missing steps, in a process that ends afterwards."""

from __future__ import annotations

import sys
from pathlib import Path

from streamhost.db.migrations.steps import apply

if __name__ == "__main__":
    apply(Path(sys.argv[1]))
