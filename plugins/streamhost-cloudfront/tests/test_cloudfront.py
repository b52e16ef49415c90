"""CloudFront's signatures, compared with those of others; and the contract of CDNs, run on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from botocore.signers import CloudFrontSigner

from cloudfront_rig import ACCESS_KEY, ACCESS_SECRET, DISTRIBUTION, PAIR, Pair, Standin, make_pair, standin
from streamhost.cdn.asking import Asking
from streamhost.model.cdn import Way
from streamhost.ports import Cdn, CdnRefused
from streamhost.testing.cdn_contract import OBJECTS, OTHER_PREFIX, PREFIX, CdnContract, Fetch
from streamhost_cloudfront.cdn import CloudFrontCdn, Invalidating
from streamhost_cloudfront.signing import WrongKey, policy, private_key
from tests.support.waiting import patience

KEY = f"{PREFIX}v720/0.m4s"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def cloudfront(pair: Pair) -> Iterator[Standin]:
    with standin(pair, OBJECTS) as made:
        yield made


def of(cloudfront: Standin, secret: str = ACCESS_SECRET) -> CloudFrontCdn:
    invalidating = Invalidating(DISTRIBUTION, ACCESS_KEY, secret, cloudfront.url)
    return CloudFrontCdn(cloudfront.url, PAIR, cloudfront.pair.pem, invalidating)


class TestCloudFrontCdn(CdnContract):
    """`CloudFrontCdn`."""

    @pytest.fixture
    def cdn(self, cloudfront: Standin) -> Cdn:
        """At the stand-in."""
        return of(cloudfront)

    @pytest.fixture
    def fetch(self) -> Fetch:
        """As a browser would."""

        async def get(url: str) -> tuple[int, bytes]:
            async with httpx.AsyncClient() as client:
                answer = await client.get(url)
                return answer.status_code, answer.content

        return get

    @pytest.fixture
    def asking(self, pair: Pair, request: pytest.FixtureRequest) -> Callable[[str], Cdn]:
        """One whose distribution and API are elsewhere."""

        def make(url: str) -> Cdn:
            invalidating = Invalidating(DISTRIBUTION, ACCESS_KEY, ACCESS_SECRET, url)
            impatient = Asking(patience(request, 0.6), patience(request, 0.5))
            return CloudFrontCdn(url, PAIR, pair.pem, invalidating, impatient)

        return make


def test_its_urls_are_those_of_botocore(pair: Pair) -> None:
    """AWS's own library makes the very same URL, with OpenSSL doing the signing."""
    until = 1_900_000_000
    cdn = CloudFrontCdn("https://d111111abcdef8.cloudfront.net", PAIR, pair.pem)
    resource = f"https://d111111abcdef8.cloudfront.net/{PREFIX}*"
    signer = CloudFrontSigner(PAIR, pair.sign)
    document = signer.build_policy(resource, datetime.fromtimestamp(until, UTC))
    assert policy(resource, until) == document
    expected = signer.generate_presigned_url(f"https://d111111abcdef8.cloudfront.net/{KEY}", policy=document)
    assert cdn.url(KEY, until) == expected


def test_what_was_changed_opens_nothing(cloudfront: Standin) -> None:
    """Another moment, package, signature or key pair: CloudFront's rules, with OpenSSL as the judge, refuse it."""
    good = of(cloudfront).url(KEY, time.time() + 60)
    later = of(cloudfront).url(KEY, time.time() + 600)
    assert cloudfront.allows(good)
    assert cloudfront.allows(good.replace("v720/0.m4s", "v720/init.mp4")), "one signature serves a whole package"
    signature = good.partition("Signature=")[2].partition("&")[0]
    wrong = (
        good.replace(PREFIX, OTHER_PREFIX),
        good.replace(f"/{PREFIX}", "/"),
        good.replace(signature, later.partition("Signature=")[2].partition("&")[0]),
        good.replace(signature, signature[:-8] + ("A" * 7) + signature[-1]),
        good.replace(PAIR, "K2JCJMDEHXQW5G"),
        of(cloudfront).url(KEY, time.time() - 1),
    )
    assert [cloudfront.allows(url) for url in wrong] == [False] * len(wrong)


def test_a_signature_is_made_once(cloudfront: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    """For all files of a package until the moment changes: signing takes longer than anything else about a segment."""
    made: list[int] = []

    def query(_key: object, _pair: str, _resource: str, expires_at: int) -> str:
        made.append(expires_at)
        return "Policy=x"

    monkeypatch.setattr("streamhost_cloudfront.cdn.signed_query", query)
    cdn = of(cloudfront)
    for number in range(50):
        cdn.url(f"{PREFIX}v720/{number}.m4s", 1_900_000_000)
    cdn.url(KEY, 1_900_000_600)
    assert made == [1_900_000_000, 1_900_000_600]


async def test_copies_are_dropped_by_invalidations(cloudfront: Standin) -> None:
    """A request that botocore signs alike, with a wildcard for each folder; a wrong secret is refused."""
    before = len(cloudfront.invalidations)
    await of(cloudfront).purge([PREFIX, OTHER_PREFIX])
    (document,) = cloudfront.invalidations[before:]
    assert f"<Quantity>2</Quantity><Items><Path>/{PREFIX}*</Path><Path>/{OTHER_PREFIX}*</Path></Items>" in document
    await of(cloudfront).purge([f"videos/video{number}/" for number in range(40)])
    assert len(cloudfront.invalidations) == before + 4, "as many as CloudFront takes at a time"
    with pytest.raises(CdnRefused) as caught:
        await of(cloudfront, "another").purge([PREFIX])
    assert "403" in str(caught.value)


async def test_without_an_access_key_nothing_is_asked(cloudfront: Standin) -> None:
    """Copies then end by themselves."""
    before = len(cloudfront.invalidations)
    cdn = CloudFrontCdn(cloudfront.url, PAIR, cloudfront.pair.pem)
    await cdn.purge([PREFIX])
    assert cdn.way is Way.REDIRECT
    assert len(cloudfront.invalidations) == before


def test_keys_that_cannot_be_used(tmp_path: Path, pair: Pair) -> None:
    """Nonsense, a public key, one that is too short: said without a word of the key."""
    short = make_pair(tmp_path, 1024)
    for pem in ("nonsense", "", pair.public.read_text(), short.pem, pair.pem[:200]):
        with pytest.raises(WrongKey) as caught:
            private_key(pem)
        assert "BEGIN" not in str(caught.value)
        assert len(str(caught.value)) < 100
