"""Reasons for a rejection that moderators need not type: words for whoever owns the video."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReasonTemplate:
    """A reason that is chosen by its place in the list, from 1 on. `label` is for moderators, `text` for the owner."""

    label: str
    text: str


TEMPLATES: tuple[ReasonTemplate, ...] = (
    ReasonTemplate("Nudity or sex", "It shows nudity or sexual acts, which this site does not allow."),
    ReasonTemplate("Violence or gore", "It shows violence or injuries in a way that this site does not allow."),
    ReasonTemplate("Hatred", "It attacks people for what they are: their origin, faith, body, sex or love."),
    ReasonTemplate("Harassment or threats", "It insults, threatens or pursues somebody."),
    ReasonTemplate("Minors", "It shows minors in a way that endangers or sexualises them."),
    ReasonTemplate("Self-harm or dangerous acts", "It shows or encourages self-harm, or acts that endanger life."),
    ReasonTemplate("Privacy", "It shows somebody, or something private, without their consent."),
    ReasonTemplate("Somebody else's work", "It is the work of somebody who has not allowed it to be shown here."),
    ReasonTemplate("Spam or deceit", "It is advertising, deceit, or posted again and again."),
)
"""Nine, so that one key chooses one."""


def reason_text(template: str, words: str) -> str:
    """What the owner is told: the words that were typed, else those of the template of that number; may be empty."""
    typed = words.strip()
    if typed or not (template.isascii() and template.isdigit() and 1 <= int(template) <= len(TEMPLATES)):
        return typed
    return TEMPLATES[int(template) - 1].text
