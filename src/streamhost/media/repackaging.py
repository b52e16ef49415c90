"""Writes stored renditions under another protection: the same samples, names and times, nothing encoded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from streamhost.media.opening import translated
from streamhost.media.progress import Progress, Report
from streamhost.media.protect import shield
from streamhost.media.tasks import Encoded, Repackage
from streamhost.media.unpack import Unpacker, parameter_sets
from streamhost.media.writer import Put, TrackWriter, WriteBehind
from streamhost.model.protection import Protecting
from streamhost.model.streaming import Kind, Rendition


def repackage(task: Repackage, report: Report) -> Encoded:
    """Write every rendition of the task. Raises ``DamagedPackage``, ``NotProtectable`` and ``OutOfSpace``."""
    progress = Progress(report, "repackage")
    total = sum(len(rendition.segments) for rendition in task.renditions)
    done = 0
    made: list[Rendition] = []
    with translated(), WriteBehind() as put:
        for rendition in task.renditions:
            source = Unpacker(Path(task.source) / rendition.name, rendition, task.opening)
            writer = _writer(source, rendition, Path(task.out_dir), task.protecting, put)
            for number in range(len(rendition.segments)):
                unpacked = source.segment(number)
                keyed = rendition.kind is Kind.VIDEO and bool(unpacked.samples.sync[0])
                writer.write(unpacked.samples, unpacked.start, keyed=keyed)
                done += 1
                progress.at(done / total)
            facts = writer.shield.facts if writer.shield else None
            made.append(replace(rendition, segments=tuple(writer.segments), protection=facts))
    return Encoded(tuple(made))


def _writer(source: Unpacker, rendition: Rendition, out: Path, protecting: Protecting | None, put: Put) -> TrackWriter:
    header = source.header()
    guard = shield(protecting, rendition.name, rendition.kind, rendition.timescale)
    sets = parameter_sets(header) if rendition.kind is Kind.VIDEO else None
    if guard and sets:
        guard.learn(sets)
    writer = TrackWriter(out / rendition.name, shield=guard, put=put)
    writer.write_header(header)
    return writer
