"""The schema of the catalog, step by step; a step that has been released is never changed.

Each step is a module `m<number>_<name>` with a tuple `SCRIPTS` of SQL texts. `steps` applies them (`python -m
streamhost.db.migrations CATALOG`); `streamhost.db.migrate` is what decides, at every start, whether that is needed.
"""

from __future__ import annotations

import pkgutil

STEPS: tuple[str, ...] = tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name[:1] == "m"))
"""The names of all steps, in order."""
SET = "streamhost"
"""Under which name sqlite-utils records the steps."""
TABLE = "_sqlite_migrations"
"""Where it records them."""
