"""`streamhost doctor` about what a site works with: mail servers, CDNs and buckets that are well, and that are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streamhost.cli.doctor import cdn, proof, services
from streamhost.cli.doctor.lines import Look
from tests.support.catalogs import instance_at
from tests.support.command import document, run
from tests.support.nginx import LINK_SECRET, SIGNED_LINKS, nginx
from tests.support.ports import free_port
from tests.support.recording import Recording, recording
from tests.support.server import RunningServer
from tests.support.smtp import HOST, Authority, Mailbox, MailServer, text_of

Lines = dict[str, tuple[str, str, str]]
"""Level, detail and hint by name."""
Doctor = Callable[..., Lines]
USER = ("video", "correct horse")
PULL_SECRET = "the-secret-of-the-edge"


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Asks about some things alone."""

    def ask(data: Path, look: Look, *words: str, code: int, **settings: str) -> Lines:
        monkeypatch.setattr("streamhost.cli.doctor.asking.PATIENCE", 60.0)  # a busy machine is no silent one
        monkeypatch.setattr("streamhost.cli.doctor.MACHINE", ())
        monkeypatch.setattr("streamhost.cli.doctor.SITE", (look,))
        given = {f"STREAMHOST_{name}": value for name, value in settings.items()}
        lines: list[dict[str, Any]] = document(run("doctor", "--json", "--data", str(data), *words, env=given), code)[
            "lines"
        ]
        return {line["name"]: (line["level"], line["detail"], line["hint"]) for line in lines}

    return ask


# Mail


@dataclass(frozen=True, slots=True)
class Post:
    """A mail server that wants TLS and a password, and the settings by which it takes mail."""

    mailbox: Mailbox
    data: Path
    good: dict[str, str]


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    """Its certificate is by an authority of its own."""
    folder = tmp_path_factory.mktemp("post")
    authority = Authority(folder)
    server = MailServer(starttls=authority.server(), user=USER).start()
    instance_at(folder / "data")
    known = {"HOST": HOST, "PORT": str(server.port), "USERNAME": USER[0], "PASSWORD": USER[1]}
    known |= {"SENDER": "video@example.org", "CA_FILE": str(authority.ca_file)}
    yield Post(server.mailbox, folder / "data", {f"MAIL_{name}": value for name, value in known.items()})
    server.stop()


def test_a_mail_server_that_is_well(post: Post, doctor: Doctor) -> None:
    """It lets us in and takes our sender; nothing was sent until somebody asks for a test, which arrives."""
    [level, detail, _] = doctor(post.data, services.mail, code=0, **post.good)["mail"]
    assert (level, post.mailbox.mails) == ("ok", [])
    assert detail.startswith(f"{HOST} takes us")
    [level, detail, _] = doctor(post.data, services.mail, "--mail-to", "root@example.org", code=0, **post.good)["mail"]
    assert (level, "root@example.org" in detail) == ("ok", True)
    [mail] = post.mailbox.mails
    assert mail["To"] == "root@example.org" and text_of(mail).strip()


@pytest.mark.parametrize(
    ("wrong", "says", "hint"),
    [
        ({"MAIL_PASSWORD": "not it"}, "sign in", "mail.password"),
        ({"MAIL_USERNAME": "", "MAIL_PASSWORD": ""}, "530", "mail.username"),
        ({"MAIL_CA_FILE": ""}, "cannot prove who it is", "mail.ca_file"),
        ({"MAIL_SECURITY": "tls"}, "port", ""),
        ({"MAIL_PORT": str(free_port())}, "port", ""),
    ],
    ids=["password", "nobody", "authority", "tls", "away"],
)
def test_a_mail_server_that_does_not_take_us(
    post: Post, doctor: Doctor, wrong: dict[str, str], says: str, hint: str
) -> None:
    """Each with the setting to look at, and without the password."""
    settings = {name: value for name, value in (post.good | wrong).items() if value}
    found = doctor(post.data, services.mail, code=1, **settings)["mail"]
    assert found[0] == "fail" and says in found[1] and hint in found[2], found
    assert "not it" not in str(found) and USER[1] not in str(found)


def test_a_sender_and_a_recipient_that_are_refused(post: Post, doctor: Doctor) -> None:
    """What a mail server has against our address is heard without a mail; what against theirs, by the test."""
    post.mailbox.answers["MAIL"] = ["553 not one of yours"]
    level, detail, hint = doctor(post.data, services.mail, code=1, **post.good)["mail"]
    assert level == "fail" and "video@example.org" in detail and "553" in detail and "mail.sender" in hint
    post.mailbox.unknown.add("nobody@example.org")
    level, detail, _ = doctor(post.data, services.mail, "--mail-to", "nobody@example.org", code=1, **post.good)["mail"]
    assert level == "fail" and "550 No such user" in detail


# CDNs

CDNS = """
  proxy_cache_path {root}/cache keys_zone=cdn:1m;
  proxy_cache cdn;
  server {{ listen 127.0.0.1:{pull}; location / {{ proxy_pass {site}; }} }}
  server {{
    listen 127.0.0.1:{link};
    location /media/ {{
      {signed}
      proxy_pass {site}/o/; proxy_set_header Streamhost-Edge the-secret-of-the-edge; proxy_cache_key $uri;
    }}
    location /open/ {{
      proxy_pass {site}/o/; proxy_set_header Streamhost-Edge the-secret-of-the-edge; proxy_cache_key $uri;
    }}
    location /stranger/ {{ proxy_pass {site}/o/; }}
  }}
  server {{
    listen 127.0.0.1:{mute};
    location / {{ proxy_pass {site}; proxy_hide_header Access-Control-Allow-Origin; }}
  }}
"""


@dataclass(frozen=True, slots=True)
class Near:
    """A site that runs, CDNs of nginx in front of it by name, and what listens to requests to drop copies."""

    data: Path
    pull: str
    link: str
    mute: str
    listener: Recording


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Near]:
    root = tmp_path_factory.mktemp("near")
    server = RunningServer(root / "data", STREAMHOST_CDN_PULL_SECRET=PULL_SECRET).start()
    ports = {name: free_port() for name in ("pull", "link", "mute")}
    with (
        recording() as listener,
        nginx(root, CDNS.format(root=root, signed=SIGNED_LINKS, site=server.url, **ports), *ports.values()),
    ):
        yield Near(server.data, **{name: f"http://127.0.0.1:{ports[name]}" for name in ports}, listener=listener)
    server.stop()


def linked(near: Near, place: str) -> dict[str, str]:
    """A CDN that checks signatures, at this place."""
    secrets = {"CDN_LINK_SECRET": LINK_SECRET, "CDN_PULL_SECRET": PULL_SECRET}
    return {"CDN_KIND": "secure_link", "CDN_BASE_URL": f"{near.link}/{place}", **secrets}


def test_cdns_that_are_well(near: Near, doctor: Doctor) -> None:
    """A segment comes by the address that viewers get and by no other. What a CDN keeps although it was told to drop it
    is a warning; one that cannot be told is no failure. Nothing stays in the storage."""
    lines = doctor(near.data, cdn.copies, code=0, CDN_KIND="pull", CDN_BASE_URL=near.pull)
    assert (lines["cdn"][0], lines["cdn delivery"][0], lines["cdn purges"][0]) == ("ok", "ok", "skip")
    assert "by none of 3 other ways" in lines["cdn delivery"][1] and "120 minutes" in lines["cdn purges"][1]
    told = linked(near, "media") | {"CDN_PURGE_URL": f"{near.listener.url}/purge"}
    lines = doctor(near.data, cdn.copies, code=0, **told)
    assert lines["cdn delivery"][0] == "ok" and "by none of 4 other ways" in lines["cdn delivery"][1]
    assert lines["cdn purges"][0] == "warn" and "sends it still" in lines["cdn purges"][1]
    [asked] = near.listener.of("POST")
    assert b'{"prefixes": ["videos/' in asked.body
    assert [path for path in (near.data / "media").rglob("*") if path.is_file()] == []
    assert doctor(near.data, cdn.copies, code=0)["cdn"] == ("ok", "None: this server sends everything itself.", "")


def test_cdns_that_are_not(near: Near, doctor: Doctor) -> None:
    """One that lets everybody in, one that does not know our secret, one that keeps headers back, and one that is not
    there at all: each in words, with what to do. So is an address for purges where nobody listens."""
    leak = doctor(near.data, cdn.copies, code=1, **linked(near, "open"))["cdn privacy"]
    assert leak[0] == "fail" and leak[1].startswith("An address that has expired opens a segment")
    unknown = doctor(near.data, cdn.copies, code=1, **linked(near, "stranger"))["cdn delivery"]
    assert unknown[0] == "fail" and "answers 403" in unknown[1] and "secrets" in unknown[2]
    mute = doctor(near.data, cdn.copies, code=1, CDN_KIND="pull", CDN_BASE_URL=near.mute)["cdn delivery"]
    assert mute[0] == "fail" and "Access-Control-Allow-Origin" in mute[2]
    nowhere = f"http://127.0.0.1:{free_port()}"
    away = {"CDN_KIND": "pull", "CDN_BASE_URL": nowhere, "CDN_PURGE_URL": f"{nowhere}/purge"}
    lines = doctor(near.data, cdn.copies, code=1, **away)
    assert (lines["cdn delivery"][0], lines["cdn purges"][0]) == ("fail", "fail")
    assert "cannot be reached" in lines["cdn delivery"][1]


def test_a_cdn_elsewhere_is_left_alone(near: Near, doctor: Doctor) -> None:
    """Other people's machines are asked only with --outside, and without a server nothing can be."""
    far = {"CDN_KIND": "pull", "CDN_BASE_URL": "http://192.0.2.7:9"}
    level, _, hint = doctor(near.data, cdn.copies, code=0, **far)["cdn delivery"]
    assert (level, "--outside" in hint) == ("skip", True)
    assert doctor(near.data, cdn.copies, "--url", "", code=0, **far)["cdn delivery"][0] == "skip"


def test_a_segment_that_a_cdn_hands_out_is_no_proof(near: Near, doctor: Doctor) -> None:
    """Where viewers are sent on, the site itself still refuses everybody else."""
    lines = doctor(near.data, proof.private, code=0, **linked(near, "media"))
    assert {name: line[0] for name, line in lines.items()} == {"privacy": "ok", "privacy of the API": "skip"}
