"""tus concatenation (1.0.0, "Concatenation"): parts sent side by side become one file."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from tests.support.server import Api, RunningServer
from tests.support.tree import rows
from tests.support.tus import PATH, VERSION, append, begin, content, status, words

PARTIAL = {"Upload-Concat": "partial"}


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


def send_parts(api: Api, data: bytes, cuts: list[int]) -> list[str]:
    """Upload the stretches between the cuts at the same time; answers their addresses in order."""
    stretches = [data[start:end] for start, end in pairwise([0, *cuts, len(data)])]

    def send(stretch: bytes) -> str:
        address = begin(api, len(stretch), **PARTIAL)
        assert append(api, address, 0, stretch).status_code == 204
        return address

    with ThreadPoolExecutor(len(stretches)) as pool:
        return list(pool.map(send, stretches))


def final(parts: list[str]) -> dict[str, str]:
    return {"Upload-Concat": "final;" + " ".join(parts)}


def test_parts_sent_at_once_become_one_video(alice: Api, site: RunningServer) -> None:
    """The final upload has the parts' bytes in the order it names them, and uses them up.

    The parts' bytes are gone, but they still answer, for a client that lost the answer and does not know."""
    data = content(3_000_000)
    parts = send_parts(alice, data, [700_000, 700_001, 2_000_000])
    answer = alice.post(PATH, headers=VERSION | final(parts) | words(filename="big.mp4", title="Joined"))
    assert answer.status_code == 201
    video = alice.video(answer.headers["streamhost-video"])
    assert video["title"] == "Joined"
    [row] = rows(site.data, "SELECT source_key, source_sha256 FROM videos WHERE id = ?", video["id"])
    assert row["source_sha256"] == hashlib.sha256(data).hexdigest()
    assert (site.data / "media" / row["source_key"]).read_bytes() == data
    assert [status(alice, part).status_code for part in parts] == [200] * 4
    assert not any((site.data / "uploads" / part.rpartition("/")[2]).exists() for part in parts)


def test_kinds_are_told_by_head(alice: Api) -> None:
    """`Upload-Concat` says what an upload is; a final one has offset and length of the whole."""
    parts = send_parts(alice, b"abcdef", [2])
    assert status(alice, parts[0]).headers["upload-concat"] == "partial"
    assert "streamhost-video" not in status(alice, parts[0]).headers
    address = alice.post(PATH, headers=VERSION | final(parts)).headers["location"]
    answer = status(alice, address)
    named = [part.partition(PATH)[2] for part in answer.headers["upload-concat"].removeprefix("final;").split()]
    assert named == [part.partition(PATH)[2] for part in parts]
    assert answer.headers["upload-length"] == answer.headers["upload-offset"] == "6"


def test_asking_twice_makes_one_video(alice: Api, site: RunningServer) -> None:
    """A client that lost the answer asks again for the same parts and gets the same upload and video."""
    parts = send_parts(alice, b"abcdef", [3])
    first, second = (alice.post(PATH, headers=VERSION | final(parts) | words(title="Once only")) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert first.headers["streamhost-video"] == second.headers["streamhost-video"]
    assert len(rows(site.data, "SELECT id FROM videos WHERE title = 'Once only'")) == 1


def test_a_final_upload_takes_no_bytes(alice: Api) -> None:
    """403 to PATCH, as the protocol demands, and nothing is changed."""
    address = alice.post(PATH, headers=VERSION | final(send_parts(alice, b"abc", [1]))).headers["location"]
    assert append(alice, address, 3, b"d").status_code == 403
    assert append(alice, address, 0, b"").status_code == 403


def test_parts_have_to_be_whole(alice: Api) -> None:
    """409 while a part is unfinished (`concatenation-unfinished` is not offered); afterwards it works."""
    [whole] = send_parts(alice, b"abc", [])
    half = begin(alice, 3, **PARTIAL)
    append(alice, half, 0, b"d")
    assert alice.post(PATH, headers=VERSION | final([whole, half])).status_code == 409
    append(alice, half, 1, b"ef")
    assert alice.post(PATH, headers=VERSION | final([whole, half])).status_code == 201


def test_what_cannot_be_joined_is_refused(alice: Api, site: RunningServer) -> None:
    """No part twice, no whole upload, nobody else's, none that is missing, and no length of its own."""
    [part] = send_parts(alice, b"abc", [])
    whole = begin(alice, 3)
    [foreign] = send_parts(site.client("root@example.org"), b"xyz", [])
    for parts, code in (([part, part], 400), ([part, whole], 400), ([part, foreign], 404), ([f"{PATH}/no"], 404)):
        assert alice.post(PATH, headers=VERSION | final(parts)).status_code == code
    assert alice.post(PATH, headers=VERSION | final([part]) | {"Upload-Length": "3"}).status_code == 400
    assert alice.post(PATH, headers=VERSION | {"Upload-Concat": "final;"}).status_code == 400
    assert alice.post(PATH, headers=VERSION | final([part])).status_code == 201


def test_words_of_a_part_are_nobodys_business(alice: Api) -> None:
    """Clients may send the file's words with the parts; only those of the final upload count."""
    address = begin(alice, 3, **PARTIAL, **words(visibility="nonsense", title="Part"))
    append(alice, address, 0, b"abc")
    answer = alice.post(PATH, headers=VERSION | final([address]) | words(title="Final"))
    assert alice.video(answer.headers["streamhost-video"])["title"] == "Final"
