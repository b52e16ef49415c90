"""Patience with classifiers: one that hangs must not keep a place for media work for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from streamhost.model.clock import MINUTE
from streamhost.model.moderation import Findings, Material
from streamhost.ports import Classifier, ClassifierUnavailable

STILL = 30 * MINUTE
"""Seconds without a word of progress after which a classifier is taken to hang; those of plugins may ask servers that
say nothing until they are done."""
LEAVING = 5.0
"""Seconds that one which is cancelled may take to clean up before it is left behind."""


async def screened(
    classifier: Classifier, material: Material, report: Callable[[float], None], still: float = STILL
) -> Findings:
    """What a classifier finds. Raises `ClassifierUnavailable` once it has told of no progress for `still` seconds, and
    what it raises."""
    heard = time.monotonic()

    def hear(share: float) -> None:
        nonlocal heard
        heard = time.monotonic()
        report(share)

    looking = asyncio.ensure_future(classifier.screen(material, hear))
    try:
        while not looking.done():
            left = heard + still - time.monotonic()
            if left <= 0:
                raise ClassifierUnavailable(f"It has told of no progress for {still / MINUTE:g} minutes.")
            await asyncio.wait((looking,), timeout=left)
        return looking.result()
    finally:
        if not looking.done():
            looking.cancel()
            await asyncio.wait((looking,), timeout=LEAVING)
