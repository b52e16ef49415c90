"""The trained model: the closed form, the file, what is measured."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import pytest

from streamhost.ml.recommending import ease, measures, onnx_file, rivals, train_child
from streamhost.ml.recommending.onnx_model import OnnxModel
from streamhost.ml.recommending.splits import Way, split
from streamhost.ml.recommending.table import Table, read_dataset, read_lines, read_videos, table
from streamhost.ml.recommending.work import Evaluate, Fitting
from streamhost.model.recommendations import Figures, TooLittleWatched, UnreadableDataset

GROUPS, PER_GROUP = 4, 15


def quiet(_share: float, _step: str) -> None:
    """Nobody wants to know how far it is."""


def groups(viewers: int = 120, seed: int = 7) -> Table:
    """Viewers who mostly watch one of four groups of videos, in any order."""
    lot = np.random.default_rng(seed)
    users, items, times = [], [], []
    for user in range(viewers):
        group = user % GROUPS
        mine = lot.permutation(PER_GROUP)[:6] + group * PER_GROUP
        others = lot.integers(0, GROUPS * PER_GROUP, 2)
        for place, item in enumerate([*others, *mine]):
            users.append(user)
            items.append(int(item))
            times.append(place + user / 1000)
    ones = np.ones(len(users), np.float32)
    return table(np.array(users), np.array(items), ones, np.array(times), viewers, GROUPS * PER_GROUP)


def test_the_closed_form() -> None:
    """In blocks and in single precision the weights are those of the paper's few lines in double precision."""
    data = groups()
    model = ease.fit(data, ease.Options(ridge=20.0, fewest=1, anywhere=1.0), quiet)
    dense = np.zeros((data.user_count, data.item_count))
    dense[data.users, data.items] = 1.0
    inverse = np.linalg.inv(dense.T @ dense + 20.0 * np.eye(data.item_count))
    wanted = inverse / -np.diag(inverse)
    np.fill_diagonal(wanted, 0.0)
    found = np.zeros_like(wanted)
    found[model.items[:, None], model.items[model.neighbours]] = model.weights
    assert np.abs(found - wanted).max() < 1e-4


def test_what_was_watched_together_counts_more() -> None:
    """Two videos count together by how far apart they were watched; the matrix can be inverted without any ridge."""
    data = table(np.zeros(3, int), np.array([2, 0, 1]), np.ones(3, np.float32), np.arange(3.0), 1, 3)
    found = ease.gram(data, np.arange(3), ease.Options(fewest=1, anywhere=0.2, near=2.0), quiet)
    one, two = (0.2 + 0.8 * math.exp(-apart / 2) for apart in (1, 2))
    assert found == pytest.approx(np.array([[1, one, one], [one, 1, two], [one, two, 1]]), abs=1e-6)
    whole = ease.gram(groups(), np.arange(GROUPS * PER_GROUP), ease.Options(anywhere=0.0, near=10.0), quiet)
    assert np.linalg.eigvalsh(whole.astype(float)).min() > 0


def test_inverting_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Halves of halves come to the same as the whole, also of odd sizes."""
    monkeypatch.setattr(ease, "_SMALL", 16)
    lot = np.random.default_rng(1)
    raw = lot.standard_normal((300, 131)).astype(np.float32)
    matrix = raw.T @ raw + 50 * np.eye(131, dtype=np.float32)
    found = matrix.copy()
    ease.invert(found)
    assert np.abs(found @ matrix - np.eye(131)).max() < 1e-3


def test_the_file_is_onnx_and_says_the_same() -> None:
    """What is written by hand passes ONNX's own checker, and ONNX Runtime finds what numpy finds, without the past."""
    data = groups()
    model = ease.fit(data, ease.Options(ridge=20.0, keep=10, most_weights=0), quiet)
    content = onnx_file.written(model, {"trained_at": 1.5, "ids": ["ä"] * len(model.items)})
    onnx.checker.check_model(onnx.load_model_from_string(content), full_check=True)
    session = OnnxModel(content)
    assert session.about["trained_at"] == 1.5
    assert session.size == len(model.items)
    rows, strengths = np.array([3, 17, 40]), np.array([1.0, 0.5, 0.2], np.float32)
    wanted = ease.scores(model, rows, strengths)
    wanted[rows] = -np.inf
    answer = session.run(rows, strengths, 20)
    assert len(answer.found) == 20
    assert set(answer.found).isdisjoint(rows)
    assert np.allclose(answer.scores, np.sort(wanted)[::-1][:20], atol=1e-6)
    assert np.allclose(wanted[answer.found], answer.scores, atol=1e-6)


def test_a_past_of_everything_leaves_nothing() -> None:
    """Somebody who has watched all there is gets an empty answer, as does nobody at all."""
    model = ease.fit(groups(), ease.Options(ridge=20.0), quiet)
    session = OnnxModel(onnx_file.written(model, {}))
    rows = np.arange(session.size)
    assert len(session.run(rows, np.ones(len(rows), np.float32), 5).found) == 0
    assert len(session.run(rows[:0], np.zeros(0, np.float32), 5).found) == 5


@pytest.mark.parametrize("way", list(Way))
def test_it_beats_what_it_has_to(way: Way, tmp_path: Path) -> None:
    """On viewers with tastes the model is far ahead of popularity however it is asked, and covers more."""
    data = groups()
    path = tmp_path / "views.csv"
    rows = zip(data.users, data.items, data.times, strict=True)
    path.write_text("user_id,item_id,timestamp\n" + "".join(f"{u},{i},{t}\n" for u, i, t in rows))
    found = train_child.evaluate(Evaluate(way.value, str(path), fitting=Fitting(ridge=20.0, fewest=1)), quiet)
    model, neighbours, popular = found["figures"]
    assert (model.name, neighbours.name, popular.name) == ("model", "item-kNN", "popularity")
    assert model.ndcg > popular.ndcg + 2 * popular.ndcg_error
    assert model.coverage > popular.coverage
    assert model.beaten_by is None
    assert popular.beaten_by is not None
    assert popular.beaten_by[0] == pytest.approx(model.ndcg - popular.ndcg)
    assert popular.beaten_by[1] > 0
    assert found["asked"] <= found["viewers"] == 120


@pytest.mark.parametrize("way", list(Way))
def test_splits_are_clean(way: Way) -> None:
    """No row is on two sides, nobody is asked about of whom nothing is known, and nothing comes before its past."""
    data = groups()
    parts = split(data, way)
    sides = [set(zip(side.users, side.items, strict=True)) for side in (parts.train, parts.check, parts.test)]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    assert set(parts.test.users) <= set(parts.train.users)
    assert len(parts.test)
    if way is Way.TIME:
        assert parts.train.times.max() <= parts.test.times.min()
    if way is Way.LAST:
        assert all(
            parts.train.times[parts.train.users == u].max() <= t for u, t in zip(*_pairs(parts.test), strict=True)
        )


def _pairs(data: Table) -> tuple[list[int], list[float]]:
    return data.users.tolist(), data.times.tolist()


def test_figures_by_hand() -> None:
    """One viewer, two wanted videos, found at the first and the third place: the figures of the definitions."""
    train = table(np.array([0, 1]), np.array([0, 1]), np.ones(2, np.float32), np.zeros(2), 2, 6)
    test = table(np.array([0, 0]), np.array([2, 4]), np.ones(2, np.float32), np.zeros(2), 2, 6)
    found = measures.measure("x", lambda *_: np.array([2, 3, 4, 5]), list(measures.cases(train, test)), train).figures
    assert found.recall == 1.0
    assert found.ndcg == pytest.approx((1 + 1 / 2) / (1 + 1 / math.log2(3)))
    assert found.coverage == pytest.approx(4 / 6)
    popular = measures.measure("x", rivals.popularity(train), list(measures.cases(train, test)), train)
    assert popular.figures.recall == 0.0


def test_differences_are_told_viewer_by_viewer() -> None:
    """A small lead that nearly everybody has is told from chance, however unlike viewers are; none is none."""
    lot = np.random.default_rng(5)
    hard = lot.random(300)
    plain = measures.Measured(Figures("plain", 0.0, 0.0), hard)
    better = measures.Measured(Figures("better", 0.0, 0.0), hard + 0.01 + 0.02 * lot.standard_normal(300))
    mean, low, high = measures.ahead(better, plain)
    assert 0 < low < mean < high < 0.03
    assert measures.ahead(better, plain) == (mean, low, high)
    noise = measures.Measured(Figures("noise", 0.0, 0.0), hard + 0.02 * lot.standard_normal(300))
    assert measures.ahead(noise, plain)[1] < 0 < measures.ahead(noise, plain)[2]
    assert measures.ahead(plain, plain) == (0.0, 0.0, 0.0)


def test_the_files_of_an_instance(tmp_path: Path) -> None:
    """Lines of viewers are read with their videos' places; videos that are gone are left out."""
    videos, watched = tmp_path / "videos.txt", tmp_path / "watched.txt"
    videos.write_text("3 aaa\n7 bbb\n8 ccc\n")
    watched.write_text("3 100 1000 7 50 1001\n\n5 100 3 8 150 2000\n")
    ids, places = read_videos(videos)
    data = read_lines(watched, places)
    assert ids == ["aaa", "bbb", "ccc"]
    assert data.users.tolist() == [0, 0, 1]
    assert data.items.tolist() == [0, 1, 2]
    assert data.weights.tolist() == [1.0, 0.5, 1.5]
    assert data.times.tolist() == [3_600_000.0, 3_603_600.0, 7_200_000.0]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "user,item\n", "user,item,time\n1,2\n", "user,item,time\n1,2,x\n"])
def test_what_is_no_dataset(tmp_path: Path, text: str) -> None:
    """A table without the columns, or without rows, is refused in words."""
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(UnreadableDataset):
        read_dataset(path)


def test_too_little_to_learn_from() -> None:
    """Two viewers are no crowd."""
    data = groups(viewers=2)
    with pytest.raises(TooLittleWatched):
        train_child.fitted(data, Fitting(), quiet)


def test_how_much_to_shrink_is_chosen_by_what_was_left_out() -> None:
    """On a small table the constant is one of those that were tried, and a sensible one."""
    data = groups()
    assert train_child.chosen_ridge(data, ease.Options(), 60) in train_child.RIDGES
    assert train_child.chosen_ridge(data, ease.Options(), 10**6) == train_child.USUAL_RIDGE
