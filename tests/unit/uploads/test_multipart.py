"""A file and fields in one form, in whatever pieces they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamhost.features.uploads import check_words
from streamhost.model.errors import InvalidInput
from streamhost.server.multipart import FIELD_BYTES, MalformedForm, UploadForm
from streamhost.server.tus import WrongUploadType

TYPE = 'multipart/form-data; boundary="xxBOUNDARYxx"'


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    named = f'; filename="{filename}"' if filename is not None else ""
    head = f'--xxBOUNDARYxx\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + value + b"\r\n"


END = b"--xxBOUNDARYxx--\r\n"


async def read(
    body: bytes, sizes: list[int] | None = None, content_type: str = TYPE
) -> tuple[bytes, Mapping[str, str]]:
    async def arriving() -> AsyncIterator[bytes]:
        rest, cuts = body, list(sizes or [len(body)])
        while rest:
            size = cuts.pop(0) if cuts else 7
            yield rest[:size]
            rest = rest[size:]

    form = UploadForm(content_type, arriving(), check_words)
    data = b"".join([bytes(piece) async for piece in form.file()])
    return data, form.words()


@settings(max_examples=60)
@given(st.binary(max_size=300), st.lists(st.integers(1, 60), max_size=30), st.booleans())
async def test_any_bytes_in_any_pieces(content: bytes, sizes: list[int], fields_first: bool) -> None:
    """However the body is cut, also inside a boundary, the file is the file and fields are read before and after it."""
    content += b"\r\n--xxBOUNDARYx\r\n\r\n--"
    file = part("file", content, "clip.mp4")
    title = part("title", "Größe".encode())
    body = (title + file if fields_first else file + title) + END
    assert await read(body, sizes) == (content, {"filename": "clip.mp4", "title": "Größe"})


async def test_a_field_may_name_the_file() -> None:
    """An explicit `filename` wins over the part's; escaped quotes are read as browsers write them."""
    _, words = await read(part("file", b"", "a %22b%22.mp4") + END)
    assert words["filename"] == 'a "b".mp4'
    _, words = await read(part("file", b"", "a.mp4") + part("filename", b"b.mp4") + END)
    assert words["filename"] == "b.mp4"


async def test_a_wrong_field_before_the_file_is_known_before_the_bytes() -> None:
    """Nobody sends gigabytes to learn of a slip in the first field."""
    seen = 0

    async def arriving() -> AsyncIterator[bytes]:
        nonlocal seen
        for data in (part("visibility", b"everyone"), part("file", b"x" * 10, "a"), part("file2", b"y"), END):
            seen += 1
            yield data

    with pytest.raises(InvalidInput) as caught:
        [_ async for _ in UploadForm(TYPE, arriving(), check_words).file()]
    assert set(caught.value.fields) == {"visibility"}
    assert seen == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (part("title", b"x") + END, "file"),
        (part("file", b"x", "a") + part("file", b"y", "b") + END, "file"),
        (part("title", b"x" * (FIELD_BYTES + 1)) + part("file", b"x", "a") + END, "title"),
        (b"".join(part(f"f{number}", b"") for number in range(40)) + part("file", b"x", "a") + END, "f32"),
    ],
)
async def test_forms_that_are_no_upload(body: bytes, field: str) -> None:
    """No file, two files, a field without end, fields without number: named by field."""
    with pytest.raises(InvalidInput) as caught:
        await read(body)
    assert field in caught.value.fields


@pytest.mark.parametrize("body", [b"", part("file", b"x", "a"), b"garbage" * 20, part("file", b"x", "a")[:-10]])
async def test_a_form_that_ends_too_early_or_is_none(body: bytes) -> None:
    """A body that is cut off is never taken for the whole file."""
    with pytest.raises(MalformedForm):
        await read(body)


async def test_only_forms_with_a_boundary() -> None:
    """Other content types are refused, and a form without boundary is malformed."""
    with pytest.raises(WrongUploadType):
        await read(b"", content_type="application/json")
    with pytest.raises(WrongUploadType):
        await read(b"", content_type="")
    with pytest.raises(MalformedForm):
        await read(b"", content_type="multipart/form-data")
    with pytest.raises(MalformedForm):
        await read(b"", content_type=f"multipart/form-data; boundary={'x' * 5000}")
