"""Searching among 100,000 videos: the time within which 95 of 100 questions are answered.

`python tests/benchmarks/bench_search.py [videos]`. Titles, tags and descriptions are made of 30,000 made-up words, some
of which are in half of all videos, others in one (Zipf's law, as in languages).
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from streamhost.db import migrate
from streamhost.db.core import Database
from streamhost.features.search import Search
from streamhost.model.accounts import ANONYMOUS
from streamhost.model.search import Filters, Sort

VIDEOS = 100_000
WORDS = 30_000
USERS = 200
QUESTIONS = 200
AIM = "<= 50"
_INSERT = """INSERT INTO videos (id, owner_id, title, description, tags, visibility, protection, state, playable,
duration, created_at, updated_at, published_at)
VALUES (:id, :owner, :title, :description, :tags, :visibility, 'none', 'ready', 1, :duration, :at, :at, :at)"""


def vocabulary(random_: random.Random) -> list[str]:
    """Words that sound like words."""
    found: dict[str, None] = {}
    while len(found) < WORDS:
        syllables = (random_.choice("bdfgklmnprstvz") + random_.choice("aeiou") for _ in range(random_.randint(2, 5)))
        found["".join(syllables)] = None
    return list(found)


async def fill(db: Database, words: list[str], count: int, random_: random.Random) -> list[str]:
    """The catalog, and some of its titles."""
    weights = [1 / (rank + 2) for rank in range(len(words))]
    drawn = random_.choices(words, weights, k=400_000)

    def text(length: int) -> str:
        at = random_.randrange(len(drawn) - length)
        return " ".join(drawn[at : at + length])

    titles = []
    async with db.write() as conn:
        for number in range(USERS):
            await conn.execute(
                "INSERT INTO users (id, email, email_key, name, role, password_hash, created_at) "
                "VALUES (:id, :id, :id, :id, 'creator', '', 0)",
                {"id": f"user{number}"},
            )
    for begin in range(0, count, 5000):
        async with db.write() as conn:
            for number in range(begin, min(begin + 5000, count)):
                title = text(random_.randint(2, 8))
                row = {"id": f"v{number}", "owner": f"user{number % USERS}", "title": title, "at": float(number)}
                row |= {"description": text(random_.randint(5, 60)), "duration": random_.uniform(5, 7200)}
                row |= {"visibility": "public" if number % 10 else "private"}
                await conn.execute(_INSERT, row | {"tags": json.dumps([text(1), text(1)])})
                if number % 100 == 0:
                    titles.append(title)
    return titles


async def within(ask: Callable[[str], Awaitable[object]], questions: list[str]) -> tuple[float, float]:
    """Milliseconds within which half, and 95 of 100, are answered."""
    taken = []
    for question in questions:
        begin = time.perf_counter()
        await ask(question)
        taken.append(1000 * (time.perf_counter() - begin))
    taken.sort()
    return taken[len(taken) // 2], taken[int(len(taken) * 0.95)]


def misspelled(word: str, random_: random.Random) -> str:
    """The word with two neighbours swapped."""
    at = random_.randrange(1, max(2, len(word) - 1))
    return word[: at - 1] + word[at : at + 1] + word[at - 1 : at] + word[at + 1 :]


async def measure(folder: Path, count: int) -> None:
    """Fill and ask."""
    random_ = random.Random(1)
    migrate.migrate(folder / "catalog.sqlite3")
    db = await Database.open(folder / "catalog.sqlite3", synchronous="NORMAL")
    words = vocabulary(random_)
    begin = time.perf_counter()
    titles = await fill(db, words, count, random_)
    search = Search(db)
    filled = time.perf_counter() - begin
    begin = time.perf_counter()
    await search.learnt()
    print(f"{count} videos written in {filled:.0f} s, their words learnt in {time.perf_counter() - begin:.0f} s")
    some = random_.sample(titles, min(QUESTIONS, len(titles)))
    kinds: dict[str, tuple[Callable[[str], Awaitable[object]], list[str]]] = {
        "a word of a title": (lambda q: search.search(q, ANONYMOUS), [t.split()[-1] for t in some]),
        "two words of a title": (lambda q: search.search(q, ANONYMOUS), [" ".join(t.split()[:2]) for t in some]),
        "the 100 commonest words": (lambda q: search.search(q, ANONYMOUS), words[:100]),
        "a word, filtered and newest first": (
            lambda q: search.search(q, ANONYMOUS, Filters(min_duration=600, after=count / 2), Sort.NEWEST),
            [t.split()[0] for t in some],
        ),
        "a typing error": (
            lambda q: search.search(q, ANONYMOUS),
            [misspelled(max(t.split(), key=len), random_) for t in some],
        ),
        "suggestions for two letters": (lambda q: search.suggest(q, ANONYMOUS), [w[:2] for w in words[:QUESTIONS]]),
        "suggestions for four letters": (lambda q: search.suggest(q, ANONYMOUS), [w[:4] for w in words[:QUESTIONS]]),
    }
    for name, (ask, questions) in kinds.items():
        half, most = await within(ask, questions)
        print(f"{name}: half within {half:.1f} ms, 95 % within {most:.1f} ms", flush=True)
        figure = {"name": f"search among {count:,} videos, {name}: 95 % within", "ours": round(most, 1), "peer": None}
        print(json.dumps({**figure, "ratio": None, "unit": "ms", "aim": AIM}), flush=True)
    await db.close()


def main() -> None:
    """Measure in a folder that goes away."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else VIDEOS
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), count))


if __name__ == "__main__":
    main()
