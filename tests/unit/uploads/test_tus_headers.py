"""The headers of tus 1.0.0, read strictly."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.features.uploads.errors import UnknownChecksum
from streamhost.model.ids import UploadId
from streamhost.model.uploads import UploadKind
from streamhost.server import tus


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("version", [None, "", "0.2.2", "1.0.1", "1.0.0, 2.0.0"])
def test_any_other_version_is_refused(version: str | None) -> None:
    """A request that does not speak 1.0.0, or does not say what it speaks, goes no further."""
    with pytest.raises(tus.UnsupportedTusVersion):
        tus.require_version({"tus-resumable": version} if version is not None else {})


@pytest.mark.parametrize("text", ["-1", "+1", "1.5", "0x10", "", " 5", "\u0661", "1e3", "9" * 19])
def test_a_number_is_only_ascii_digits(text: str) -> None:
    """Numbers are read as the protocol writes them, and never larger than the catalog holds."""
    with pytest.raises(tus.MalformedUpload):
        tus.offset({"upload-offset": text})


def test_a_missing_offset_is_named() -> None:
    """The error says which header is missing."""
    with pytest.raises(tus.MalformedUpload, match="Upload-Offset"):
        tus.offset({})


def test_length_is_said_or_deferred_but_not_both() -> None:
    """At creation the length is there, or `Upload-Defer-Length: 1`, never neither or both."""
    assert tus.length_at_creation({"upload-length": "0"}) == 0
    assert tus.length_at_creation({"upload-defer-length": "1"}) is None
    for headers in (
        {},
        {"upload-defer-length": "0"},
        {"upload-defer-length": "true"},
        {"upload-length": "5", "upload-defer-length": "1"},
    ):
        with pytest.raises(tus.MalformedUpload):
            tus.length_at_creation(headers)


def test_metadata_is_read_and_kept_as_sent() -> None:
    """Values are Base64, may be empty with or without the space, and the header itself is kept."""
    header = f"filename {encoded('Ünïcode ☃.mp4')},is_final,empty ,title {encoded('A, B')}"
    words, kept = tus.metadata({"upload-metadata": header})
    assert words == {"filename": "Ünïcode ☃.mp4", "is_final": "", "empty": "", "title": "A, B"}
    assert kept == header


@pytest.mark.parametrize(
    "header", ["a !!!", "a YQ==,a Yg==", ", b Yg==", "ключ YQ==", "a YQ== extra", "a " + "QUFB" * 40_000, "a YQ"]
)
def test_malformed_metadata_is_refused(header: str) -> None:
    """No value that is no Base64, no key twice, empty or foreign, and no header without end."""
    with pytest.raises(tus.MalformedUpload):
        tus.metadata({"upload-metadata": header})


def test_values_that_are_no_text_are_only_kept_as_sent() -> None:
    """A client may keep binary values with its upload; they mean nothing here but come back."""
    header = "thumb " + base64.b64encode(b"\xff\xfe\x00").decode()
    assert tus.metadata({"upload-metadata": header}) == ({}, header)


@given(st.dictionaries(st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True), st.text(max_size=40), max_size=8))
def test_metadata_survives_the_way_there(words: dict[str, str]) -> None:
    """Whatever text a client encodes is read back the same."""
    header = ",".join(f"{key} {encoded(value)}".strip() for key, value in words.items())
    assert tus.metadata({"upload-metadata": header})[0] == words


def test_a_checksum_names_its_algorithm() -> None:
    """The algorithm, a space, the digest in Base64; only algorithms that were announced."""
    digest = hashlib.sha1(b"x").digest()
    found = tus.checksum({"upload-checksum": f"sha1 {base64.b64encode(digest).decode()}"})
    assert found is not None
    hasher = found.hasher()
    hasher.update(b"x")
    assert found.fits(hasher)
    assert tus.checksum({}) is None
    with pytest.raises(UnknownChecksum):
        tus.checksum({"upload-checksum": "rot13 YQ=="})
    for header in ("sha1", "sha1 ", "sha1 ???", ""):
        with pytest.raises(tus.MalformedUpload):
            tus.checksum({"upload-checksum": header})


def test_parts_are_named_by_any_form_of_their_address() -> None:
    """Absolute or not: the id is what counts, as the address may have been seen through a proxy."""
    header = f"final;https://cdn.example{tus.PATH}/abc {tus.PATH}/def"
    found = tus.concatenation({"upload-concat": header})
    assert found == tus.Concatenation(UploadKind.FINAL, (UploadId("abc"), UploadId("def")))
    assert tus.concatenation({"upload-concat": "partial"}).kind is UploadKind.PARTIAL
    assert tus.concatenation({}).kind is UploadKind.WHOLE
    assert tus.concatenation_header(found.kind, found.parts) == f"final;{tus.PATH}/abc {tus.PATH}/def"


@pytest.mark.parametrize(
    "header", ["final", "final;", "final; ", "whole", "partial;x", "final;/else/where/abc", "final;../../etc/passwd"]
)
def test_malformed_concatenations_are_refused(header: str) -> None:
    """Nothing but `partial`, or `final;` with addresses of uploads."""
    with pytest.raises(tus.MalformedUpload):
        tus.concatenation({"upload-concat": header})


def test_a_final_upload_says_no_length() -> None:
    """Its length is that of its parts ("The Client MUST NOT include the Upload-Length header")."""
    with pytest.raises(tus.MalformedUpload):
        tus.concatenation({"upload-concat": f"final;{tus.PATH}/abc", "upload-length": "3"})


def test_a_body_at_creation_has_the_type_of_uploads() -> None:
    """Bytes at creation need the content type of tus; without a body the type does not matter."""
    assert tus.brings_bytes({"content-type": tus.CONTENT_TYPE, "content-length": "3"})
    assert tus.brings_bytes({"content-type": tus.CONTENT_TYPE, "transfer-encoding": "chunked"})
    assert not tus.brings_bytes({"content-type": tus.CONTENT_TYPE, "content-length": "0"})
    assert not tus.brings_bytes({"content-type": "text/plain", "content-length": "0"})
    assert not tus.brings_bytes({})
    with pytest.raises(tus.WrongUploadType):
        tus.brings_bytes({"content-type": "video/mp4", "content-length": "3"})


def test_expiry_is_an_http_date() -> None:
    """The date format of HTTP, in GMT."""
    assert tus.http_date(1_700_000_000) == "Tue, 14 Nov 2023 22:13:20 GMT"
