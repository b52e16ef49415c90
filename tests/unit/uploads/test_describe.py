"""From a file's name and words to a video."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.features.uploads import describe
from streamhost.model.errors import InvalidInput
from streamhost.model.ids import UploadId, UserId, VideoId
from streamhost.model.naming import file_name, readable, source_key
from streamhost.model.uploads import Upload
from streamhost.model.videos import TITLE_LENGTH, Visibility


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("my_holiday_video.mp4", "My holiday video"),
        ("Big.Buck.Bunny.mkv", "Big Buck Bunny"),
        ("2024-05-01 beach.mov", "2024-05-01 beach"),
        ("2024-05-01.mov", "2024-05-01"),
        ("trip-to-the-sea.webm", "Trip to the sea"),
        ("version 1.5 final.mp4", "Version 1.5 final"),
        ("IMG_1234.MOV", "IMG 1234"),
        ("猫の動画.mp4", "猫の動画"),
        ("", "Untitled"),
        (".mp4", "Untitled"),
        ("___.mp4", "Untitled"),
    ],
)
def test_a_title_is_made_readable(name: str, title: str) -> None:
    """A file's name becomes a title that people would have typed."""
    assert readable(name) == title


@given(st.text(max_size=400))
def test_any_name_gives_a_title_a_key_and_a_name(name: str) -> None:
    """Whatever a file is called, title and key have the form they must have."""
    kept = file_name(name)
    title = readable(kept)
    assert 0 < len(title) <= TITLE_LENGTH
    assert "/" not in kept
    key = source_key(VideoId("abc"), kept)
    assert key.startswith("videos/abc/source/source")
    assert all(sign.isascii() and (sign.isalnum() or sign in "./") for sign in key)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("C:\\Users\\al\\clip.mp4", "clip.mp4"), ("../../etc/passwd", "passwd"), ("a\x00b\n.mp4", "ab.mp4"), ("x/", "")],
)
def test_only_the_last_part_of_a_path_is_a_name(given: str, kept: str) -> None:
    """Paths of any system and control signs never get further than this."""
    assert file_name(given) == kept


def test_a_video_carries_what_was_said() -> None:
    """Words of the client win over what the file's name suggests; nothing said means private."""
    upload = Upload(
        UploadId("u"),
        UserId("alice"),
        0,
        0,
        length=7,
        offset=7,
        video_id=VideoId("v"),
        metadata={"filename": "clip.MP4", "title": " My  clip ", "visibility": "public"},
    )
    video = describe.video_of(upload, "ab" * 32, 5.0)
    assert (video.title, video.visibility, video.source_name) == ("My clip", Visibility.PUBLIC, "clip.MP4")
    assert (video.source_key, video.source_size) == ("videos/v/source/source.mp4", 7)
    bare = Upload(UploadId("u"), UserId("alice"), 0, 0, length=0, video_id=VideoId("v"))
    assert describe.video_of(bare, "", 5.0).title == "Untitled"
    assert describe.video_of(bare, "", 5.0).visibility is Visibility.PRIVATE


def test_every_wrong_word_is_named() -> None:
    """The errors tell field by field what a video cannot have."""
    with pytest.raises(InvalidInput) as caught:
        describe.check({"title": "x" * 500, "visibility": "everyone", "protection": "magic", "filename": "a.mp4"})
    assert set(caught.value.fields) == {"title", "visibility", "protection"}
