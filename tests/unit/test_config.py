"""Settings: where they may stand, which place wins, and what is said about mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamhost import config
from streamhost.config import InvalidSettings


def write(directory: Path, text: str) -> Path:
    path = directory / "streamhost.toml"
    path.write_text(text, "utf-8")
    return path


def complaint(data: Path, environment: dict[str, str] | None = None, **overrides: object) -> str:
    with pytest.raises(InvalidSettings) as caught:
        config.load(data, environment or {}, **overrides)
    return caught.value.detail


def test_nothing_given_is_fine(tmp_path: Path) -> None:
    """Without a file and without variables every setting has its default."""
    settings = config.load(tmp_path, {})
    assert settings == config.Settings(data=tmp_path)


def test_every_setting_is_described() -> None:
    """Each setting has a help sentence, says what is allowed, and has a default that is allowed."""
    for field in config.fields():
        assert field.help.endswith((".", ")")), field.key
        assert field.allowed, field.key
        config.load(Path("/nowhere"), {}, **{field.key.replace(".", "__"): field.default})


def test_keys_and_variables_are_unique() -> None:
    """No two settings share a key or a variable, and none is also the `_FILE` form of another."""
    variables = [field.variable for field in config.fields()]
    assert len(set(variables)) == len(variables)
    assert not {f"{name}_FILE" for name in variables} & set(variables)
    assert not set(variables) & set(config.OTHER_VARIABLES)


def test_environment_beats_file_and_command_line_beats_both(tmp_path: Path) -> None:
    """The order of precedence, and what each value is said to come from."""
    path = write(tmp_path, '[server]\nport = 1\nhost = "h1"\nsite_name = "one"\n')
    environment = {"STREAMHOST_SERVER_PORT": "2", "STREAMHOST_SERVER_HOST": "h2"}
    settings, origins = config.load_with_origins(tmp_path, environment, server__port=3, server__host=None)
    assert (settings.server.port, settings.server.host, settings.server.site_name) == (3, "h2", "one")
    assert origins["server.port"] == "the command line"
    assert origins["server.host"] == "STREAMHOST_SERVER_HOST"
    assert origins["server.site_name"] == str(path)
    assert origins["server.offload"] == "default"


def test_a_variable_may_name_a_file(tmp_path: Path) -> None:
    """`…_FILE` is read, without the line end that editors put there."""
    secret = tmp_path / "name"
    secret.write_text("Our videos\n", "utf-8")
    settings = config.load(tmp_path, {"STREAMHOST_SERVER_SITE_NAME_FILE": str(secret)})
    assert settings.server.site_name == "Our videos"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A `…_FILE` that cannot be read says which variable and which path."""
    said = complaint(tmp_path, {"STREAMHOST_SERVER_SITE_NAME_FILE": "/no/such/file"})
    assert "STREAMHOST_SERVER_SITE_NAME_FILE: cannot read /no/such/file" in said


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """A `…_FILE` full of bytes does not end in a traceback."""
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert "not text" in complaint(tmp_path, {"STREAMHOST_SERVER_HOST_FILE": str(tmp_path / "bytes")})


def test_value_and_file_together_are_refused(tmp_path: Path) -> None:
    """Nobody has to guess which of two won."""
    environment = {"STREAMHOST_SERVER_HOST": "a", "STREAMHOST_SERVER_HOST_FILE": "/dev/null"}
    assert "STREAMHOST_SERVER_HOST: given twice" in complaint(tmp_path, environment)


def test_data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line beats STREAMHOST_DATA beats the platform's place; the path becomes absolute."""
    monkeypatch.chdir(tmp_path)
    assert config.load(Path("here"), {"STREAMHOST_DATA": "/elsewhere"}).data == tmp_path / "here"
    assert config.load(None, {"STREAMHOST_DATA": "/elsewhere"}).data == Path("/elsewhere")
    assert config.load(None, {"STREAMHOST_DATA": ""}).data == config.default_data_directory()


def test_named_settings_file(tmp_path: Path) -> None:
    """STREAMHOST_CONFIG points elsewhere; a file that was named must be there."""
    path = write(tmp_path, "[server]\nport = 81\n")
    assert config.load(tmp_path / "data", {"STREAMHOST_CONFIG": str(path)}).server.port == 81
    assert "there is no file" in complaint(tmp_path, {"STREAMHOST_CONFIG": str(tmp_path / "none.toml")})


def test_variables_that_are_no_settings(tmp_path: Path) -> None:
    """What the client commands and the plugin trace read does not stop the server."""
    environment = {"STREAMHOST_URL": "x", "STREAMHOST_TOKEN": "x", "STREAMHOST_TRACE_PLUGINS": "1", "HOME": "/root"}
    assert config.load(tmp_path, environment).server.port == 8000


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("STREAMHOST_SERVER_PORT", "70000", "server.port: '70000' is not a whole number from 0 to 65535"),
        ("STREAMHOST_SERVER_PORT", "", "server.port: '' is not a whole number"),
        ("STREAMHOST_LOG_LEVEL", "loud", "is not one of debug, info, warning, error"),
        ("STREAMHOST_LIMITS_ENABLED", "maybe", "is not true or false"),
        ("STREAMHOST_MEDIA_KEEP_SOURCE", "maybe", "is not a text such as days:30"),
        ("STREAMHOST_MEDIA_HEIGHTS", "720,many", "a list, of which each is a whole number from 64 to 4320"),
        ("STREAMHOST_MEDIA_HEIGHTS", "[720", "is not a list"),
        ("STREAMHOST_SERVER_PUBLIC_URL", "video.example.org", "a text such as https://video.example.org"),
        ("STREAMHOST_PLAYBACK_GRANT_MINUTES", "nan", "is not a number of at most 10080 and above 0"),
        ("STREAMHOST_PLAYBACK_GRANT_MINUTES", "inf", "is not a number of at most 10080 and above 0"),
    ],
)
def test_wrong_values(tmp_path: Path, variable: str, value: str, wanted: str) -> None:
    """A wrong value is named with where it stands, what it is, and what is allowed."""
    said = complaint(tmp_path, {variable: value})
    assert wanted in said
    assert f"({variable})" in said


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    """Nobody starts the server five times to learn of five mistakes."""
    path = write(
        tmp_path, "sever = 1\n[server]\nport = true\nprot = 1\n[media]\npreset = 'warp'\n[jobs]\nchild_nice = 99\n"
    )
    said = complaint(tmp_path, {"STREAMHOST_SERVER_PROT": "1"}).splitlines()
    assert len(said) == 6
    assert f"{path}: [sever]: no such section; is server meant?" in said
    assert f"{path}: server.prot: no such setting; is server.port meant?" in said
    assert "STREAMHOST_SERVER_PROT: no such setting; is STREAMHOST_SERVER_PORT meant?" in said


def test_types_in_the_file_are_strict(tmp_path: Path) -> None:
    """In TOML, numbers are numbers; a text that looks like one still works, a boolean is none."""
    write(tmp_path, '[server]\nport = "8080"\n')
    assert config.load(tmp_path, {}).server.port == 8080
    write(tmp_path, "[server]\nport = true\n")
    assert "server.port: True is not a whole number" in complaint(tmp_path)


@pytest.mark.parametrize("text", ["[server", "port == 1", "\x00"])
def test_broken_file(tmp_path: Path, text: str) -> None:
    """A file that is no TOML is named."""
    assert str(write(tmp_path, text)) in complaint(tmp_path)


def test_section_that_is_no_table(tmp_path: Path) -> None:
    """`server = 1` is answered with how to write it."""
    write(tmp_path, "server = 1\n")
    assert "write [server]" in complaint(tmp_path)


def test_data_in_the_file(tmp_path: Path) -> None:
    """The file lies in the data directory, so it cannot say where that is; the message tells what to do."""
    write(tmp_path, 'data = "/x"\n')
    assert "STREAMHOST_DATA" in complaint(tmp_path)


@pytest.mark.parametrize("text", ["1080,720", " 1080 , 720 ", "[1080, 720]"])
def test_lists_in_variables(tmp_path: Path, text: str) -> None:
    """Lists are written with commas or as JSON."""
    assert config.load(tmp_path, {"STREAMHOST_MEDIA_HEIGHTS": text}).media.heights == (1080, 720)


@settings(deadline=None)
@given(st.sampled_from(list(config.fields())), st.text(max_size=20).filter(lambda text: "\0" not in text))
def test_any_text_is_taken_or_named(field: config.Field, text: str) -> None:
    """Whatever stands in a variable, the settings load or the mistake is told; nothing else is raised."""
    try:
        config.load(Path("/nowhere"), {field.variable: text})
    except InvalidSettings as error:
        assert field.key in error.detail


def test_what_is_loaded_can_be_given_again(tmp_path: Path) -> None:
    """Every default, spelled as a variable, loads as itself."""
    environment = {
        field.variable: json.dumps(field.default) if isinstance(field.default, tuple) else str(field.default)
        for field in config.fields()
    }
    assert config.load(tmp_path, environment) == config.Settings(data=tmp_path)
