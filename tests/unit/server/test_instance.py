"""The data directory, its secrets and its lock."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from streamhost.instance import (
    LOCK_FILE,
    SECRETS_FILE,
    DataDirectoryUnusable,
    InstanceLocked,
    Purpose,
    SecretsUnreadable,
    open_instance,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_directory_is_private(tmp_path: Path) -> None:
    """Directory 0700 and secrets 0600, whatever the umask says."""
    before = os.umask(0)
    try:
        open_instance(tmp_path / "a" / "data")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a" / "data") == 0o700
    assert mode(tmp_path / "a" / "data" / SECRETS_FILE) == 0o600
    assert [path.name for path in (tmp_path / "a" / "data").iterdir()] == [SECRETS_FILE]


def test_secrets_stay_the_same(tmp_path: Path) -> None:
    """Opening again gives the same keys and the same id."""
    first, second = open_instance(tmp_path), open_instance(tmp_path)
    assert first.keys == second.keys
    assert first.id == second.id


def test_keys_differ_by_purpose_and_instance(tmp_path: Path) -> None:
    """No key serves two purposes, and none is the master secret."""
    one, other = open_instance(tmp_path / "1"), open_instance(tmp_path / "2")
    keys = [instance.keys.derive(purpose) for instance in (one, other) for purpose in Purpose]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 32 for key in keys)
    assert one.keys.masters[1] not in keys


def test_a_second_secret_signs_and_the_first_still_verifies(tmp_path: Path) -> None:
    """After a rotation the newest secret is in use, the ring holds both, the id stays."""
    before = open_instance(tmp_path)
    path = tmp_path / SECRETS_FILE
    masters = json.loads(path.read_text())["masters"]
    path.write_text(json.dumps({"masters": masters | {"2": "ab" * 32}}))
    after = open_instance(tmp_path)
    assert after.keys.current == 2
    assert after.keys.ring(Purpose.GRANTS)[1] == before.keys.derive(Purpose.GRANTS)
    assert after.keys.ring(Purpose.GRANTS)[2] == after.keys.derive(Purpose.GRANTS)
    assert after.id == before.id


@pytest.mark.parametrize(
    "text", ["", "{}", '{"masters": {}}', '{"masters": {"1": "abcd"}}', '{"masters": {"x": "00"}}', "[]"]
)
def test_damaged_secrets_are_not_replaced(tmp_path: Path, text: str) -> None:
    """A damaged file is an error, never silently a new secret."""
    (tmp_path / SECRETS_FILE).write_text(text)
    with pytest.raises(SecretsUnreadable):
        open_instance(tmp_path)
    assert (tmp_path / SECRETS_FILE).read_text() == text


def test_a_file_in_the_place_of_the_directory(tmp_path: Path) -> None:
    """What is not a directory is refused with its name."""
    (tmp_path / "data").write_text("")
    with pytest.raises(DataDirectoryUnusable, match="data"):
        open_instance(tmp_path / "data")


def test_the_second_lock_names_the_first(tmp_path: Path) -> None:
    """The error says which process holds the directory, where it listens and since when."""
    instance = open_instance(tmp_path)
    with instance.lock() as held:
        held.announce("http://127.0.0.1:1234")
        with pytest.raises(InstanceLocked, match=rf"process {os.getpid()} at http://127.0.0.1:1234, running since 20"):
            instance.lock()
    instance.lock().release()


def test_the_lock_of_a_killed_process_is_no_obstacle(tmp_path: Path) -> None:
    """kill -9 frees the lock; the file it leaves behind does not matter."""
    open_instance(tmp_path)
    script = (
        "import sys, time, pathlib; from streamhost.instance import open_instance;"
        "lock = open_instance(pathlib.Path(sys.argv[1])).lock('x'); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(InstanceLocked, match=f"process {process.pid}"):
            open_instance(tmp_path).lock()
        process.kill()
        process.wait()
    assert (tmp_path / LOCK_FILE).read_text() != ""
    open_instance(tmp_path).lock().release()


def test_two_programs_start_at_once(tmp_path: Path) -> None:
    """Both use the secret of the one that was first."""
    script = (
        "import sys, pathlib; from streamhost.instance import open_instance;"
        "print(open_instance(pathlib.Path(sys.argv[1])).id)"
    )
    programs = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "data")], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    ids = {program.communicate()[0] for program in programs}
    assert len(ids) == 1
    assert ids != {b""}
