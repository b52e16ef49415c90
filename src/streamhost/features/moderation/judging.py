"""What of earlier findings still counts, and how a verdict follows from findings and what people have said. Pure."""

from __future__ import annotations

from dataclasses import replace

from streamhost.db.verdicts import Screening as Found
from streamhost.features.moderation.material import NO_PICTURES, TOO_MANY_WORDS, Content, same_poster, same_words
from streamhost.model.cases import Verdict
from streamhost.model.moderation import OF_TEXTS, Aspect, Category, Findings, Gap, TextSource
from streamhost.model.verdicts import POSTER_AT, Decision, Policy, decide

LASTING = ("model_missing", NO_PICTURES, TOO_MANY_WORDS)
"""Codes of gaps that another look with the same models would leave as well."""
OF_WORDS = frozenset(aspect.category for aspect in OF_TEXTS)


def pictures_stand(known: Found, content: Content, mark: str, *, words_only: bool) -> bool:
    """Whether what was found in the pictures still counts: nobody need look at them again.

    `words_only`: somebody has changed words, which is no occasion to look at pictures with other models."""
    if known.package_id != content.package_id:
        return False
    return words_only or (known.models == mark and _lasting(known.findings, pictures=True))


def words_stand(known: Found, content: Content, mark: str) -> bool:
    """Likewise for words, and for a poster that was sent."""
    same = known.models == mark and known.mark == content.mark
    return same and known.package_id == content.package_id and _lasting(known.findings, pictures=False)


def _lasting(findings: Findings, *, pictures: bool) -> bool:
    return all(
        gap.model is None or gap.code in LASTING for gap in findings.gaps if (gap.aspect not in OF_TEXTS) is pictures
    )


def merged(known: Findings, fresh: Findings) -> Findings:
    """What was found in the pictures before, with what was found beside them now."""
    film = tuple(one for one in known.frames if one.at != POSTER_AT)
    poster = tuple(one for one in fresh.frames if one.at == POSTER_AT)
    seen = tuple(one for one in known.texts if one.text.source is TextSource.PICTURE)
    gaps: list[Gap] = [gap for gap in known.gaps if gap.aspect not in OF_TEXTS]
    return Findings(
        (*poster, *film),
        (*fresh.texts, *seen),
        tuple(dict.fromkeys([*known.models, *fresh.models])),
        tuple(dict.fromkeys([*gaps, *fresh.gaps])),
    )


def cleared(content: Content, person: Verdict | None) -> frozenset[Category]:
    """The categories in which a person has found this very content fit."""
    if person is None or person.decision is not Decision.APPROVE:
        return frozenset()
    found: set[Category] = set()
    if person.package_id == content.package_id and same_poster(person.mark, content.mark):
        found |= {aspect.category for aspect in Aspect if aspect not in OF_TEXTS}
    if same_words(person.mark, content.mark):
        found |= OF_WORDS
    return frozenset(found)


def judged(verdict: Verdict, content: Content, findings: Findings, policy: Policy, person: Verdict | None) -> Verdict:
    """The verdict with what follows from the findings."""
    judgement = decide(findings, policy, content.concerned, cleared(content, person))
    return replace(verdict, judgement=judgement, decision=judgement.decision)
