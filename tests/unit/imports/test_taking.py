"""From a file in a folder to a video: policies, what is refused, what is found again."""

from __future__ import annotations

from tests.unit.imports.conftest import Bench


async def test_a_file_becomes_a_video(bench: Bench) -> None:
    """It is moved into storage, belongs to the first administrator, is private, and is called after its name."""
    path = bench.put("Holidays/2024/my_trip.mp4")
    before = path.read_bytes()
    await bench.run()
    video = (await bench.videos())["My trip"]
    assert bench.stored(video).read_bytes() == before
    assert (video.visibility.value, video.tags, video.owner_name) == (
        "private",
        ("holidays", "2024"),
        "root@example.org",
    )
    assert not path.exists()
    assert await bench.states() == {"my_trip.mp4": "imported"}
