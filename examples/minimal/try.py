"""A whole site on this machine for as long as this runs: set up, started, one video uploaded and ready to play."""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from streamhost.testing import clips

STREAMHOST = (sys.executable, "-m", "streamhost")
ADMIN = "you@example.org"


def post(url: str, document: dict[str, str]) -> dict[str, str]:
    """Send JSON, get JSON."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(document).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, str] = json.load(answer)
        return found


def main() -> int:
    """Run it; with --once only until the video plays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="end when the video is ready")
    once = parser.parse_args().once
    password = secrets.token_urlsafe(12)
    with tempfile.TemporaryDirectory(prefix="streamhost-minimal-") as folder:
        data = Path(folder) / "data"
        command = [*STREAMHOST, "setup", "--admin", ADMIN, "--password-stdin", "--data", str(data)]
        subprocess.run(command, input=f"{password}\n", text=True, check=True)
        film = clips.make(Path(folder) / "bars.mp4", clips.Clip(seconds=4, width=320, height=180))
        command = [*STREAMHOST, "serve", "--data", str(data), "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                url = next(found[0] for line in server.stdout if (found := re.search(r"http://[\d.:]+", line)))
                token = post(f"{url}/api/v1/auth/login", {"email": ADMIN, "password": password})["access_token"]
                environment = {**os.environ, "STREAMHOST_URL": url, "STREAMHOST_TOKEN": token}
                command = [*STREAMHOST, "videos", "upload", str(film), "--title", "Colour bars", "--wait"]
                subprocess.run(command, env=environment, check=True)
                print(f"Sign in at {url}/login as {ADMIN} with the password {password}", flush=True)
                if not once:
                    server.wait()
            finally:
                server.terminate()
                server.wait()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
