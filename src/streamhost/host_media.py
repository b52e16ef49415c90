"""How media is made, as the settings say it. A part of `host.py`, and like it imported by nothing below."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from streamhost import sandbox
from streamhost.config import Settings
from streamhost.db.core import Database
from streamhost.features.protection import Protections
from streamhost.features.transcoding import EncoderChooser, Others, Rules, RunsMedia, Transcoding
from streamhost.host_notices import PLACES as DELIVERY_PLACES
from streamhost.jobs.queue import Queue
from streamhost.media import compat, ladder, tasks
from streamhost.media.run import MediaRunner
from streamhost.model.clock import MINUTE, Clock
from streamhost.model.tasks import Lane
from streamhost.ports import Storage


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


def transcoding_of(
    settings: Settings,
    work: Path,
    db: Database,
    queue: Queue,
    storage: Storage,
    clock: Clock,
    protections: Protections,
    run: RunsMedia,
    others: Others,
) -> Transcoding:
    """The room that makes packages. `work`: the folder in which they grow."""
    return Transcoding(
        db,
        queue,
        storage,
        clock,
        run,
        work,
        rules=rules_of(settings),
        chooser=EncoderChooser(settings.media.encoder, run),
        protecting=protections.protecting,
        keep_source=settings.media.keep_source,
        grants_live=settings.playback.grant_minutes * MINUTE,
        others=others,
    )


def lanes_of(settings: Settings) -> Mapping[Lane, int]:
    """How many jobs of each lane are done at the same time."""
    return {
        Lane.MEDIA: media_workers(settings),
        Lane.SOUND: media_workers(settings),
        Lane.LIGHT: settings.jobs.light_workers,
        Lane.PLUGINS: settings.plugins.workers,
        Lane.DELIVERIES: DELIVERY_PLACES,
    }
