"""Keys that are replaced: which one signs, which still count, and what the file does to those who read it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from streamhost.features.protection import KeyWatch, grants_of
from streamhost.instance import Purpose, open_instance
from streamhost.keyrings import FIRST, RINGS_FILE, Keyrings, KeyringsUnreadable, Ring
from streamhost.model.grants import InvalidGrant
from streamhost.model.ids import PackageId, SessionId, VideoId

NOW = 1_800_000_000.0
VIDEO, PACKAGE, SESSION = VideoId("v" * 16), PackageId("p" * 16), SessionId("s" * 16)


class Moment:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        """Now."""
        return self.now


@pytest.fixture
def keyrings(tmp_path: Path) -> Keyrings:
    """The rings of a new instance."""
    return Keyrings(open_instance(tmp_path / "data"))


def test_before_anything_is_replaced_the_master_secret_gives_the_key(tmp_path: Path) -> None:
    """An instance from before this file existed keeps the grants that are out."""
    instance = open_instance(tmp_path)
    ring = Keyrings(instance).ring(Ring.GRANTS)
    assert ring.secrets(NOW) == instance.keys.ring(Purpose.GRANTS)
    assert ring.current.id == FIRST
    assert not (tmp_path / RINGS_FILE).exists()


def test_the_new_key_signs_and_the_old_one_counts_for_its_time(keyrings: Keyrings) -> None:
    """Also over several replacements; one that is over is gone from the file with the next."""
    first = keyrings.ring(Ring.GRANTS).current
    second = keyrings.replace(Ring.GRANTS, NOW, 100)
    third = keyrings.replace(Ring.GRANTS, NOW + 50, 100)
    ring = keyrings.ring(Ring.GRANTS)
    assert ring.current.id == third.id
    assert ring.secrets(NOW + 60) == {key.id: key.secret for key in (first, second, third)}
    assert set(ring.secrets(NOW + 120)) == {second.id, third.id}
    assert set(ring.secrets(NOW + 160)) == {third.id}
    keyrings.replace(Ring.GRANTS, NOW + 160, 100)
    assert [key.id for key in keyrings.ring(Ring.GRANTS).keys] == [third.id, third.id + 1]
    assert keyrings.ring(Ring.WRAPPING).current.id == FIRST


def test_an_id_never_leaves_its_byte(keyrings: Keyrings) -> None:
    """After 255 the count begins anew, with an id that nobody else has, and never the first key's."""
    for number in range(300):
        key = keyrings.replace(Ring.GRANTS, NOW + number, 10)
        ids = [one.id for one in keyrings.ring(Ring.GRANTS).keys]
        assert len(ids) == len(set(ids))
        assert FIRST < key.id <= 255


def test_the_file_is_for_its_owner_and_shows_nothing_in_words(keyrings: Keyrings, tmp_path: Path) -> None:
    """Mode 0600; no secret stands in the representation of a key or in the error of a damaged file."""
    key = keyrings.replace(Ring.WRAPPING, NOW)
    path = tmp_path / "data" / RINGS_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.secret.hex() not in repr(keyrings.ring(Ring.WRAPPING)) + repr(key)
    path.write_text(path.read_text("utf-8").replace(key.secret.hex(), key.secret.hex() + "x"))
    with pytest.raises(KeyringsUnreadable) as refusal:
        keyrings.ring(Ring.GRANTS)
    assert key.secret.hex() not in str(refusal.value)


def test_a_running_server_takes_up_what_a_command_replaced(keyrings: Keyrings) -> None:
    """Grants that are out go on until their time; new ones are signed anew; then the old key is worth nothing."""
    clock = Moment()
    grants = grants_of(keyrings, clock, 100)
    watch = KeyWatch(keyrings, grants, clock)
    before, _ = grants.issue(VIDEO, PACKAGE, SESSION)
    forger = grants_of(keyrings, clock, 10_000)
    fresh = keyrings.replace(Ring.GRANTS, clock.now, 100)
    watch.look()
    after, grant = grants.issue(VIDEO, PACKAGE, SESSION)
    assert grant.key_id == fresh.id
    assert grants.check(before, VIDEO).session_id == grants.check(after, VIDEO).session_id
    forged, known = forger.issue(VIDEO, PACKAGE, SESSION)
    grants.check(forged, VIDEO)
    clock.now += 101
    watch.look()
    with pytest.raises(InvalidGrant):
        grants.check(forged, VIDEO)
    with pytest.raises(InvalidGrant):
        grants.still_good(known)


def test_after_a_leak_the_old_key_can_go_at_once(keyrings: Keyrings) -> None:
    """With no time left, what it signed is worth nothing as soon as the server has looked."""
    clock = Moment()
    grants = grants_of(keyrings, clock, 100)
    watch = KeyWatch(keyrings, grants, clock)
    before, _ = grants.issue(VIDEO, PACKAGE, SESSION)
    keyrings.replace(Ring.GRANTS, clock.now, 0)
    watch.look()
    with pytest.raises(InvalidGrant):
        grants.check(before, VIDEO)
