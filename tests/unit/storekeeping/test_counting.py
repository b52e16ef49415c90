"""What is stored, added up by kind and by owner, and as the page of administrators shows it."""

from __future__ import annotations

from streamhost.features.storekeeping.counting import LARGEST, summed
from streamhost.model.ids import UserId, VideoId
from streamhost.model.objects import Kinds, Owned, Usage
from streamhost.server.pages.admin_storage import WIDTH, bars, count_view


def usage(video: str, owner: str, size: int, *, in_trash: bool = False) -> Usage:
    """A video with an uploaded file of that size and streams of twice as much."""
    owned = Owned(VideoId(video), f"Film {video}", UserId(owner), f"{owner}@example.org", in_trash)
    return Usage(owned, objects=3, source=size, streams=2 * size, other=1)


def test_sums() -> None:
    """By kind, by owner with the most first, what is in the trash, and what belongs to no video."""
    usages = [
        usage("a", "alice", 100),
        usage("b", "bob", 90),
        usage("c", "bob", 80, in_trash=True),
        Usage(None, 2, other=7),
    ]
    count = summed(usages)
    assert (count.objects, count.size) == (11, 3 * 270 + 3 + 7)
    assert count.kinds == Kinds(270, 540, 10)
    assert [(owner.email, owner.videos, owner.kinds.source) for owner in count.owners] == [
        ("bob@example.org", 2, 170),
        ("alice@example.org", 1, 100),
    ]
    assert (count.trash, count.trash_bytes, count.unowned_bytes) == (1, 241, 7)
    assert [video.title for video in count.largest] == ["Film a", "Film b", "Film c"]


def test_a_long_list_is_cut() -> None:
    """Of many videos the first ones are named, and all are counted."""
    count = summed([usage(str(number), "alice", 1000 - number) for number in range(LARGEST + 5)])
    assert (len(count.largest), count.owners[0].videos) == (LARGEST, LARGEST + 5)


def test_the_page() -> None:
    """The bar is full, and everything stands in words beside it."""
    parts = bars(Kinds(100, 300, 0))
    assert [(part.kind, part.x, part.width) for part in parts] == [
        ("source", 0, WIDTH / 4),
        ("streams", WIDTH / 4, WIDTH * 3 / 4),
        ("other", WIDTH, 0),
    ]
    assert [part.width for part in bars(Kinds())] == [0, 0, 0]
    view = count_view(summed([usage("a", "alice", 1_000_000), usage("b", "bob", 500_000, in_trash=True)]))
    assert [(one.name, one.words, one.more, one.share > 0.49) for one in view.owners] == [
        ("alice@example.org", "3.0 MB", "1 video", True),
        ("bob@example.org", "1.5 MB", "1 video", True),
    ]
    assert (view.trash, view.orphans, view.largest[1].more) == ("1 video, 1.5 MB", "", "bob@example.org, in the trash")
    assert [one.link for one in view.largest] == ["/watch/a", "/admin/trash"], "in the trash it has no page of its own"
