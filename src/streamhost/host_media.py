"""How media is made, as the settings say it. A part of `host.py`, and like it imported by nothing below."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from streamhost import sandbox
from streamhost.config import Settings
from streamhost.features.protection import Protections
from streamhost.features.transcoding import (
    Control,
    Downloads,
    EncoderChooser,
    Others,
    Rules,
    RunsMedia,
    Switching,
    Transcoding,
)
from streamhost.features.work import Revive
from streamhost.host_basis import Basis
from streamhost.host_notices import PLACES as DELIVERY_PLACES
from streamhost.jobs.worker import Handler
from streamhost.media import compat, ladder, tasks
from streamhost.media.run import MediaRunner
from streamhost.model.tasks import (
    ExtractCaptions,
    Lane,
    MakeDownload,
    MakePart,
    ProbeSource,
    PublishPackage,
    RepackageVideo,
    RetirePackage,
    RewriteManifests,
    SweepMedia,
    Task,
)
from streamhost.ports import Storage

STEPS = (ProbeSource, MakePart, PublishPackage)
"""The jobs without which a video does not come to play."""


@dataclass(frozen=True, slots=True)
class Making:
    """The rooms that make files of what was uploaded. Deleting them is not here: copies elsewhere go along."""

    transcoding: Transcoding
    switching: Switching
    control: Control
    downloads: Downloads

    @property
    def handlers(self) -> Mapping[type[Task], Handler]:
        """Their jobs."""
        return {
            ProbeSource: self.transcoding.probe,
            MakePart: self.transcoding.make_part,
            PublishPackage: self.transcoding.publish,
            RewriteManifests: self.transcoding.rewrite,
            ExtractCaptions: self.transcoding.extract,
            SweepMedia: self.transcoding.keeping.sweep,
            RepackageVideo: self.switching.repackage,
            RetirePackage: self.switching.retire,
            MakeDownload: self.downloads.make,
        }

    @property
    def revive(self) -> Mapping[type[Task], Revive]:
        """What begins again as a whole where one of its jobs is retried."""
        return dict.fromkeys(STEPS, self.control.retry_job)


def runner_of(settings: Settings) -> MediaRunner:
    """What does media tasks in child processes within the limits of the settings; to be closed."""
    jobs = settings.jobs
    return MediaRunner(
        sandbox.Limits(
            memory=jobs.child_memory,
            cpu_seconds=jobs.child_cpu_seconds,
            file_size=jobs.child_file_size,
            silence_seconds=jobs.child_silence_seconds,
            nice=jobs.child_nice,
        )
    )


def rules_of(settings: Settings) -> Rules:
    """How every video is made."""
    media = settings.media
    return Rules(
        ladder.LadderSettings(
            heights=media.heights,
            crf=media.crf,
            max_height=media.max_height,
            max_frame_rate=media.max_frame_rate,
            rates={int(lines): int(rate) for lines, _, rate in (text.partition(":") for text in media.rates)},
        ),
        tasks.Encoding(
            preset=media.preset,
            segment=media.segment_seconds,
            chunk=media.chunk_seconds,
            workers=media_workers(settings),
            audio_rate=media.audio_bitrate,
            max_frame_rate=media.max_frame_rate,
        ),
        compat.CopyLimits(
            floor=compat.CopyLimits().floor if media.copy_rate else 0,
            per_megapixel=media.copy_rate,
            max_frame_rate=media.max_frame_rate,
        ),
    )


def media_workers(settings: Settings) -> int:
    """As many media processes as there are processor cores, unless the settings say otherwise."""
    return settings.jobs.media_workers or len(os.sched_getaffinity(0))


def making_of(basis: Basis, storage: Storage, protections: Protections, run: RunsMedia, others: Others) -> Making:
    """The rooms. What they make grows in the working directory."""
    settings, db, queue, clock = basis.settings, basis.db, basis.queue, basis.clock
    transcoding = Transcoding(
        db,
        queue,
        storage,
        clock,
        run,
        basis.work,
        rules=rules_of(settings),
        chooser=EncoderChooser(settings.media.encoder, run),
        protecting=protections.protecting,
        keep_source=settings.media.keep_source,
        grants_live=basis.grants_live,
        others=others,
    )
    switching = transcoding.switching(basis.grants_live)
    for task in STEPS:
        queue.on_failed(task, transcoding.gave_up)
    queue.on_failed(ExtractCaptions, transcoding.no_captions)
    queue.on_failed(RepackageVideo, switching.gave_up)
    control = Control(db, queue, clock, transcoding.course, transcoding.replacing)
    return Making(transcoding, switching, control, Downloads(db, queue, storage, clock, run, basis.work))


def lanes_of(settings: Settings) -> Mapping[Lane, int]:
    """How many jobs of each lane are done at the same time."""
    return {
        Lane.MEDIA: media_workers(settings),
        Lane.SOUND: media_workers(settings),
        Lane.LIGHT: settings.jobs.light_workers,
        Lane.PLUGINS: settings.plugins.workers,
        Lane.DELIVERIES: DELIVERY_PLACES,
    }
