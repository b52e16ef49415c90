"""The text model is trained from data, the same every time, and into what the program runs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import text_data
import text_report
import train_text
from streamhost.ml import grams, texts
from streamhost.ml.words import words_of
from text_data import Example

SLOTS = 4096
TABLE = """,count,hate_speech,offensive_language,neither,class,tweet
0,3,0,0,3,2,RT @somebody: a walk in the park &amp; some tea
1,3,1,2,0,1,you silly goose
"""


def lessons() -> list[Example]:
    """A language with two bad words."""
    nice = ["a walk in the park", "tea with my friends", "look at the birds", "the old bridge", "a good day"]
    bad = ["you zonk", "what a zonk", "splurf off", "go splurf yourself", "zonk splurf"]
    return [Example(text, 0.0) for text in nice] + [Example(text, 1.0) for text in bad]


def test_the_same_data_give_the_same_model() -> None:
    """Twice trained, the file is the same; in ONNX Runtime it says what the weights say."""
    weights = train_text.train(lessons(), SLOTS, rounds=60)
    content = train_text.export(weights)
    assert content == train_text.export(train_text.train(lessons(), SLOTS, rounds=60))
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    unseen = ["you are a zonk", "the park is good", "splurfing", "birds on a bridge", ""]
    rows = [grams.features(words_of(text), SLOTS) for text in unseen]
    [found] = session.run(["toxicity"], {"grams": texts.padded(rows, SLOTS)})
    wanted = [weights.slots[row].sum() / max(1, len(row)) ** 0.5 + weights.bias for row in rows]
    assert np.abs(found[:, 0] - 1 / (1 + np.exp(-np.array(wanted)))).max() < 0.02
    assert min(found[0, 0], found[2, 0]) > max(found[1, 0], found[3, 0])


def test_data_are_read_as_people_judged_them() -> None:
    """A tweet's score is the share of people who found it bad; what HTML hid is plain."""
    calm, silly = text_data.tweets(csv.DictReader(io.StringIO(TABLE)))
    assert (calm.score, silly.score) == (0.0, 1.0)
    assert calm.text.endswith("park & some tea")


def test_copies_fall_on_the_same_side() -> None:
    """What is trained on and what judges are told apart by what is said, so that a copy does not judge."""
    assert text_data.place("RT @bob: Hello  there!") == text_data.place("rt @alice: hello there")
    found = text_data.part(lessons(), 0, 50), text_data.part(lessons(), 50, 100)
    assert sorted(one.text for half in found for one in half) == sorted(one.text for one in lessons())


def test_phrases_are_filled_in() -> None:
    """Every template meets every entry of its list, and no hole is left."""
    found = text_data.phrases()
    assert len(found) > 2000
    assert not [one.text for one in found if "{" in one.text]
    assert {one.score for one in found} == {0.9, 0.02}
    short = text_data.fragments([Example("one two three four five six seven eight nine", 0.02)])
    assert 2 <= len(short[0].text.split()) <= text_data.LONGEST_FRAGMENT


def test_other_data_are_refused(tmp_path: Path) -> None:
    """A folder without the very files is refused, and named."""
    (tmp_path / "davidson.csv").write_text(TABLE)
    with pytest.raises(text_data.WrongData, match=r"davidson\.csv"):
        text_data.Sources(tmp_path)
    assert train_text.main([str(tmp_path)]) == 1
    assert train_text.main([]) == 2


def test_measures() -> None:
    """The area under the curve, and what is over a line, by hand."""
    found = text_report.Judged("x", np.array([True, True, False, False]), np.array([0.9, 0.4, 0.4, 0.1]))
    assert found.auc() == pytest.approx((2 + 1 + 0.5) / 4)
    assert found.at(0.4) == pytest.approx((2 / 3, 1.0, 0.5))
    assert text_report.drawn([found]).count("<polyline") == 2
