"""The facts of encryption: what keys are, what may be known, what never shows."""

from __future__ import annotations

import pytest

from streamhost.media import wire
from streamhost.model.protection import ContentKey, Protecting, RenditionProtection, Scheme, file_iv
from tests.unit.media.facts import video_rendition

KID, KEY, IV = "11" * 16, "22" * 16, "33" * 16


def test_a_key_does_not_show() -> None:
    """Neither the key's own text nor that of what holds it says the key."""
    key = ContentKey(KID, KEY, IV)
    assert KEY not in repr(key)
    assert KEY not in repr(Protecting(Scheme.CBCS, (key,), (key,)))


@pytest.mark.parametrize("bad", ["", "zz" * 16, "AA" * 16, "11" * 15, "secret-secret-secret-secret-1234"])
def test_what_is_no_key_is_refused_without_saying_it(bad: str) -> None:
    """A key that is not 32 lower-case hex digits is an error that does not repeat it."""
    with pytest.raises(ValueError, match="key of a content key") as caught:
        ContentKey(KID, bad)
    assert not bad or bad not in str(caught.value)


def test_common_encryption_takes_one_key_for_a_kind() -> None:
    """Several keys are for the rotation of AES-128 alone; cbcs needs its constant vector."""
    one, two = ContentKey(KID, KEY), ContentKey("44" * 16, KEY)
    Protecting(Scheme.AES_128, (one, two), (one,), rotate_every=3)
    for scheme, video in ((Scheme.CENC, (one, two)), (Scheme.CENC, ()), (Scheme.CBCS, (one,))):
        with pytest.raises(ValueError, match=r"keys|vector"):
            Protecting(scheme, video, (one,))


def test_keys_follow_each_other() -> None:
    """Every so many segments comes the next key, after the last one the first."""
    facts = RenditionProtection(Scheme.AES_128, ("a", "b", "c"), rotate_every=2)
    assert [facts.kid(number) for number in range(8)] == ["a", "a", "b", "b", "c", "c", "a", "a"]
    assert {RenditionProtection(Scheme.AES_128, ("a", "b")).kid(number) for number in range(8)} == {"a"}


def test_each_file_has_its_own_vector() -> None:
    """Key, rendition and name each change the vector; the same file always has the same one."""
    ivs = {file_iv(kid, rendition, name) for kid in "ab" for rendition in ("v1", "v2") for name in ("0.m4s", "1.m4s")}
    assert len(ivs) == 8
    assert file_iv("a", "v1", "0.m4s") in ivs


def test_facts_of_earlier_versions_load() -> None:
    """A rendition that was stored before there was encryption is a clear one; a protected one comes back whole."""
    rendition = video_rendition()
    text = wire.dumps(rendition).decode()
    assert '"protection":null' in text
    old = text.replace(',"protection":null', "")
    assert wire.loads(old, type(rendition)) == rendition
    protected = video_rendition(protection=RenditionProtection(Scheme.CBCS, (KID,), IV, clear_until=7))
    assert wire.loads(wire.dumps(protected), type(protected)) == protected
