"""Feeds, site maps, oEmbed and the head of a page, read again by programs of others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.features.syndication import cards, feeds, oembed, site_map
from streamhost.features.syndication.entries import Entry, entry_of, iso_duration
from streamhost.model.errors import NotFound
from streamhost.model.ids import UserId, VideoId
from streamhost.model.videos import ChapterMark, Video, Visibility

HOME = "https://video.example.org"
NASTY = "<b>&amp;\"'</title>]]><script>alert(1)</script> \u00e9 \U0001f40d"
WHEN = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
VIDEO = "{http://www.google.com/schemas/sitemap-video/1.1}"


def entry(**changes: Any) -> Entry:
    """A video of ten minutes and a half, with three chapters, that any page may show."""
    video = Video(
        VideoId("abc123"),
        UserId("alice"),
        changes.pop("title", "A film"),
        WHEN.timestamp() - 60,
        WHEN.timestamp() + 60,
        owner_name="Alice",
        description=changes.pop("description", "What it is about."),
        tags=changes.pop("tags", ("birds", "sea")),
        visibility=changes.pop("visibility", Visibility.PUBLIC),
        duration=630.4,
        width=1920,
        height=1080,
        playable=True,
        poster_key="videos/abc123/p/poster.jpg",
        published_at=WHEN.timestamp(),
        chapters=(ChapterMark(0, "One"), ChapterMark(90.5, "Two"), ChapterMark(700, "Beyond")),
        **changes,
    )
    return entry_of(video, HOME, ("*",))


def feed(*entries: Entry) -> feeds.Feed:
    """A feed with these entries."""
    return feeds.Feed("Clips & more", "Newest", f"{HOME}/", f"{HOME}/feeds/videos.rss?tag=a&b", WHEN, entries)


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_a_feed_is_what_another_reader_reads(kind: str) -> None:
    """Title, link, day, author, tags, picture and length of each video, whatever its words are."""
    read = feedparser.parse(feeds.FORMATS[kind](feed(entry(title=NASTY, description=NASTY), entry())))
    assert (read.bozo, read.version) == (False, {"rss": "rss20", "atom": "atom10"}[kind])
    assert read.feed.title == "Clips & more"
    first, second = read.entries
    assert first.link == second.link == f"{HOME}/watch/abc123"
    assert second.title == "A film"
    assert second.author == "Alice"
    assert [tag.term for tag in second.tags] == ["birds", "sea"]
    assert second.published_parsed[:6] == (2026, 3, 14, 15, 9, 26)
    assert second.media_thumbnail[0]["url"] == f"{HOME}/watch/abc123/poster.jpg"
    assert second.media_content[0]["duration"] == "630"
    assert f"{HOME}/embed/abc123" in feeds.FORMATS[kind](feed(entry())).decode()


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_words_can_break_a_document(title: str, tag: str) -> None:
    """Whatever signs somebody has typed, each document is well-formed, and what XML can carry comes out as it was."""
    one = entry(title=title, description=title, tags=(tag,))
    for document in (feeds.rss(feed(one)), feeds.atom(feed(one)), site_map.part([one])):
        ElementTree.fromstring(document)
    assert json.loads(feeds.json_feed(feed(one)))["items"][0]["title"] == title
    answer = ElementTree.fromstring(oembed.as_xml(oembed.answer(one, "https://x/embed/1", "Site", HOME)))
    assert answer.findtext("type") == "video"


def test_a_json_feed_has_what_its_readers_need() -> None:
    """Version 1.1 with an id, an address and a text for each item."""
    document = json.loads(feeds.json_feed(feed(entry(description=""))))
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    item = document["items"][0]
    assert (item["id"], item["content_text"], item["authors"]) == (item["url"], "A film", [{"name": "Alice"}])


def test_a_site_map_tells_of_videos() -> None:
    """A page with its video; of one that nobody may embed only the page; and the list of parts."""
    closed = entry(embed_origins=("https://blog.example",))
    root = ElementTree.fromstring(site_map.part([entry(), closed], [f"{HOME}/"]))
    home, first, second = root.findall(f"{MAP}url")
    assert home.findtext(f"{MAP}loc") == f"{HOME}/"
    told = first.find(f"{VIDEO}video")
    assert told is not None
    names = [element.tag.removeprefix(VIDEO) for element in told]
    assert names == [
        *("thumbnail_loc", "title", "description", "player_loc", "duration"),
        *("publication_date", "tag", "tag", "uploader"),
    ]
    assert told.findtext(f"{VIDEO}duration") == "630"
    assert second.find(f"{VIDEO}video") is None
    parts = ElementTree.fromstring(site_map.index([f"{HOME}/sitemap.xml?part={n}" for n in (1, 2)]))
    assert [loc.text for loc in parts.iter(f"{MAP}loc")] == [f"{HOME}/sitemap.xml?part={n}" for n in (1, 2)]


@pytest.mark.parametrize(
    ("picture", "limits", "size"),
    [
        ((1920, 1080), (None, None), (640, 360)),
        ((1080, 1920), (None, None), (360, 640)),
        ((1920, 1080), (400, None), (400, 225)),
        ((1920, 1080), (4000, 300), (533, 300)),
        ((1920, 1080), (4000, 4000), (1920, 1080)),
        ((320, 180), (1000, None), (640, 360)),
        ((1920, 1080), (1, 1), (1, 1)),
    ],
)
def test_a_frame_fits_where_it_is_wanted(
    picture: tuple[int, int], limits: tuple[int | None, int | None], size: tuple[int, int]
) -> None:
    """In the shape of the picture, never larger than asked for, and of a usual size where nothing is asked."""
    assert oembed.size_within(*picture, *limits) == size


def test_the_markup_of_a_frame_holds_any_title() -> None:
    """Nothing in a title gets out of its attribute."""
    code = oembed.frame(f"{HOME}/embed/abc123", NASTY, 640, 360)
    assert "<script" not in code
    assert ElementTree.fromstring(code.replace(" allowfullscreen", "")).get("title") == NASTY


def test_only_addresses_of_this_site_name_a_video() -> None:
    """Watch and embed pages by http or https, with a query or without; nothing else."""
    for address in ("/watch/abc", "/embed/abc", "/watch/abc?t=5", "/watch/abc/#x"):
        assert oembed.video_of(HOME + address, HOME) == "abc"
        assert oembed.video_of("http://VIDEO.example.org" + address, HOME) == "abc"
    for address in (
        *("", "nonsense", "https://[", f"{HOME}/", f"{HOME}/watch/", f"{HOME}/watch/a/b", f"{HOME}/studio/abc"),
        *("https://other.example/watch/abc", "ftp://video.example.org/watch/abc", f"{HOME}.evil.example/watch/abc"),
        f"{HOME}/watch/..%2f",
    ):
        with pytest.raises(NotFound):
            oembed.video_of(address, HOME)


def test_the_head_of_a_page_tells_what_previews_show() -> None:
    """Open Graph, a player card by https, and a VideoObject with a clip for each chapter that lies in the video."""
    one = entry(description="word " * 200)
    graph = dict(cards.open_graph(one, "Site"))
    assert (graph["og:type"], graph["og:url"]) == ("video.other", f"{HOME}/watch/abc123")
    assert (graph["og:video"], graph["og:video:secure_url"]) == (f"{HOME}/embed/abc123",) * 2
    assert len(graph["og:description"]) <= cards.SUMMARY_LENGTH
    assert dict(cards.twitter(one))["twitter:card"] == "player"
    told = cards.video_object(one)
    assert (told["duration"], told["embedUrl"]) == ("PT10M30S", f"{HOME}/embed/abc123")
    assert [(clip["name"], clip["startOffset"], clip["endOffset"]) for clip in told["hasPart"]] == [
        ("One", 0, 90),
        ("Two", 90, 630),
    ]
    closed = entry(embed_origins=("https://blog.example",))
    assert "og:video" not in dict(cards.open_graph(closed, "Site"))
    assert dict(cards.twitter(closed))["twitter:card"] == "summary_large_image"


@pytest.mark.parametrize(("seconds", "text"), [(0, "PT0S"), (59.6, "PT1M"), (3723, "PT1H2M3S"), (7200, "PT2H")])
def test_a_length_is_written_as_iso_8601(seconds: float, text: str) -> None:
    """Parts that are zero are left out, unless all are."""
    assert iso_duration(seconds) == text
