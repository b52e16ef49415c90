"""One colour, and shades of it in which words stay readable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.model.branding import (
    DARK_GROUNDS,
    DARK_INK,
    LIGHT_GROUNDS,
    LIGHT_INK,
    OWN,
    OWN_DARK,
    OWN_LIGHT,
    READABLE,
    Brand,
    Logo,
    both,
    contrast,
    in_mail,
    on_dark,
    on_light,
)

TOKENS = Path(__file__).parents[3] / "web" / "styles" / "tokens.css"


def test_contrast_as_wcag_has_it() -> None:
    """Black on white is 21 to 1, and #767676 the lightest grey that is readable on white."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#123456", "#123456") == 1


@given(st.integers(0, 0xFFFFFF))
def test_whatever_the_colour_words_are_readable(number: int) -> None:
    """On every ground of either theme, on its own wash, on buttons, and under the pointer: 4.5 to 1."""
    colour = f"#{number:06x}"
    for shades, grounds, ink in (
        (on_light(colour), LIGHT_GROUNDS, LIGHT_INK),
        (on_dark(colour), DARK_GROUNDS, DARK_INK),
    ):
        for ground in (*grounds, shades.wash):
            assert contrast(shades.accent, ground) >= READABLE
        assert contrast(ink, shades.wash) >= READABLE
        assert min(contrast(shades.on, one) for one in (shades.accent, shades.strong)) >= READABLE


def test_a_colour_that_does_is_kept() -> None:
    """Only where it must be is a shade taken: black on light pages, white on dark ones stay what they are."""
    assert on_light("#1F5FBF").accent == "#1f5fbf"
    assert (on_light("#000000").accent, on_dark("#ffffff").accent) == ("#000000", "#ffffff")
    assert on_light("#ffff00").accent != "#ffff00"


def test_the_grounds_are_those_of_the_pages() -> None:
    """The tokens of the style sheet and what is reckoned with here are the same."""
    tokens = dict(re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\)", TOKENS.read_text()))
    for place, name in enumerate(("surface", "bg", "sunken")):
        assert tokens[name] == f"{LIGHT_GROUNDS[place]}, {DARK_GROUNDS[place]}"
    assert tokens["ink-faint"] == f"{LIGHT_INK}, {DARK_INK}"
    own = {"accent": "accent", "accent-strong": "strong", "on-accent": "on", "accent-wash": "wash"}
    for name, field in own.items():
        assert tokens[name] == f"{getattr(OWN_LIGHT, field)}, {getattr(OWN_DARK, field)}"
    assert both("") == (OWN_LIGHT, OWN_DARK)


def test_mails() -> None:
    """Buttons have the colour; the logo is shown where the site's own address is known."""
    brand = Brand("Kino", "#ffff00", Logo("abc", 10, 10))
    assert in_mail(brand, "https://kino.example").logo == "https://kino.example/brand/abc/logo.png"
    assert in_mail(brand, "").logo == ""
    assert in_mail(brand, "").colour == on_light("#ffff00").accent
    assert in_mail(Brand("x"), "").colour == OWN
