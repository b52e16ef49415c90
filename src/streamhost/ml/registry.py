"""Which models there are: known, shipped, described by somebody; and whether their files are there and whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from streamhost.ml.manifest import InvalidManifest, Manifest, read
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.moderation import Aspect
from streamhost.ports import ModelBroken, ModelMissing

KNOWN = Path(__file__).parent / "manifests"
"""Manifests of this program; a model file beside its manifest is shipped."""
MOST_CUSTOM = 100
"""Manifests that are read from a data directory."""
_BLOCK = 1024 * 1024


class ModelShipped(StreamhostError):
    """This model is a part of streamhost."""

    code = "model_shipped"
    hint = "It can be neither installed nor removed."
    permanent = True


class Origin(StrEnum):
    """Where a model's description is from."""

    SHIPPED = "shipped"
    KNOWN = "known"
    CUSTOM = "custom"


class State(StrEnum):
    """Whether a model's file is there; `installed` says its size is right, only `verify` reads it."""

    INSTALLED = "installed"
    NOT_INSTALLED = "not_installed"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its manifest, and where its file lies or would lie."""

    manifest: Manifest
    path: Path
    origin: Origin

    @property
    def id(self) -> str:
        """Its name in commands and findings."""
        return self.manifest.id

    def state(self) -> State:
        """Look whether the file is there, in the right size."""
        try:
            size = self.path.stat().st_size
        except OSError:
            return State.NOT_INSTALLED
        return State.INSTALLED if size == self.manifest.size else State.BROKEN

    def check(self) -> None:
        """Read the file and compare its hash. Raises `ModelMissing` or `ModelBroken`."""
        if self.state() is State.NOT_INSTALLED:
            raise ModelMissing(f"{self.id}: {self.path.name} is not there.")
        found = file_hash(self.path)
        if found != self.manifest.sha256:
            raise ModelBroken(
                f"{self.id}: the SHA-256 of {self.path.name} is {found}, and should be {self.manifest.sha256}."
            )


class Registry:
    """The models of one data directory. Reads the folder each time: files come and go while the server runs."""

    def __init__(self, folder: Path, known: Path = KNOWN) -> None:
        """`folder` need not exist; `known` holds this program's manifests."""
        self.folder = folder
        self._known = tuple(self._of_program(path) for path in sorted(known.glob("*.toml")))

    def models(self) -> tuple[Model, ...]:
        """Every model whose description is right: the program's, then custom ones by id."""
        return (*self._known, *(model for model, _ in self._custom() if model is not None))

    def mistakes(self) -> tuple[InvalidManifest, ...]:
        """What is wrong with descriptions in the data directory."""
        return tuple(error for _, error in self._custom() if error is not None)

    def get(self, model_id: str) -> Model:
        """The model of that name; raises `NotFound`, or what is wrong with its description."""
        for model in self.models():
            if model.id == model_id:
                return model
        for error in self.mistakes():
            if error.detail.startswith(f"{model_id}.toml"):
                raise error
        names = ", ".join(model.id for model in self.models())
        raise NotFound(f"No model is called {model_id}.", hint=f"These are known: {names}.")

    def without_model(self) -> frozenset[Aspect]:
        """Aspects that no installed model looks for."""
        seen = {aspect for m in self.models() if m.state() is State.INSTALLED for aspect in m.manifest.aspects}
        return frozenset(Aspect) - seen

    def _of_program(self, path: Path) -> Model:
        manifest = read(path)
        beside = path.parent / manifest.file
        if beside.exists():
            return Model(manifest, beside, Origin.SHIPPED)
        return Model(manifest, self.folder / manifest.file, Origin.KNOWN)

    def _custom(self) -> list[tuple[Model | None, InvalidManifest | None]]:
        taken_ids = {model.id for model in self._known}
        taken_files = {model.manifest.file for model in self._known}
        found: list[tuple[Model | None, InvalidManifest | None]] = []
        for path in self._descriptions():
            try:
                manifest = read(path)
                _unique(manifest, path, taken_ids, taken_files)
            except InvalidManifest as error:
                found.append((None, error))
                continue
            taken_ids.add(manifest.id)
            taken_files.add(manifest.file)
            found.append((Model(manifest, self.folder / manifest.file, Origin.CUSTOM), None))
        return found

    def _descriptions(self) -> list[Path]:
        try:
            return sorted(self.folder.glob("*.toml"))[:MOST_CUSTOM]
        except OSError:
            return []


def _unique(manifest: Manifest, path: Path, ids: Iterable[str], files: Iterable[str]) -> None:
    if manifest.id in ids:
        raise InvalidManifest(f"{path.name}: another model is called {manifest.id} already.")
    if manifest.file in files:
        raise InvalidManifest(f"{path.name}: {manifest.file} is another model's file already.")


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits. Raises `ModelBroken` if it cannot be read."""
    total = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                total.update(block)
    except OSError as error:
        raise ModelBroken(f"{path.name} cannot be read: {error.strerror or error}.") from error
    return total.hexdigest()
