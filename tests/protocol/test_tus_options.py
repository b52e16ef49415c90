"""tus OPTIONS: what the server offers (1.0.0, "OPTIONS")."""

from __future__ import annotations

import httpx

from tests.support.server import RunningServer
from tests.support.tus import PATH


def test_anybody_may_ask_without_version_or_account(site: RunningServer) -> None:
    """No credentials and no `Tus-Resumable` are needed, and a wrong one is ignored."""
    for headers in ({}, {"Tus-Resumable": "0.2.2"}):
        answer = httpx.options(site.url + PATH, headers=headers)
        assert answer.status_code == 204
        assert answer.headers["tus-version"] == "1.0.0"
        assert answer.headers["tus-resumable"] == "1.0.0"


def test_it_announces_what_is_true_and_no_more(site: RunningServer) -> None:
    """Extensions, algorithms and size are those that the other tests use; no trailers, no unfinished parts."""
    answer = httpx.options(site.url + PATH)
    assert set(answer.headers["tus-extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "expiration",
        "checksum",
        "termination",
        "concatenation",
    }
    assert answer.headers["tus-checksum-algorithm"].split(",") == ["sha1", "sha256", "sha512", "md5"]
    assert int(answer.headers["tus-max-size"]) == 200 * 1024**3


def test_an_upload_answers_it_too(site: RunningServer) -> None:
    """Also the address of an upload, existing or not, tells what the server offers."""
    answer = httpx.options(f"{site.url}{PATH}/whatever")
    assert (answer.status_code, answer.headers["tus-version"]) == (204, "1.0.0")
