"""What a site looks like to people: its name, its logo, and one colour with the shades that keep words readable.

Contrast is that of WCAG 2.2 (1.4.3: 4.5 to 1 for words), lightness that of OKLab, in which a step looks the same in
every hue (Björn Ottosson, "A perceptual color space for image processing", 2020).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

READABLE = 4.5
"""WCAG 2.2, 1.4.3: contrast of words to what is behind them."""
STEPS = 200
"""Lightnesses that are tried on the way to black or white."""
HOVER = 0.07
"""By how much of OKLab's lightness a button changes under the pointer."""
WHITE = "#ffffff"
OWN = "#0b6a57"
"""The house's own accent."""
PICTURES = "/brand/"
LOGO = "logo.png"
LIGHT_GROUNDS = ("#ffffff", "#f6f6f3", "#eeeeea")
"""What words in the accent's colour stand on, on light pages and on dark ones: --surface, --bg and --sunken of
web/styles/tokens.css."""
DARK_GROUNDS = ("#16191c", "#0e1012", "#1e2226")
LIGHT_INK, DARK_INK = "#63686d", "#959ba3"
"""The faintest words there (--ink-faint)."""
WASH = 18
"""Per cent of the colour in its wash, at most."""

Linear = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Shades:
    """A colour for one theme: for words and buttons, under the pointer, what is written on it, and a breath of it as a
    ground."""

    accent: str
    strong: str
    on: str
    wash: str


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo as it is served: a word that changes with it, and its size in pixels."""

    version: str
    width: int
    height: int

    def at(self, name: str) -> str:
        """The path of one of its pictures, which changes with it."""
        return f"{PICTURES}{self.version}/{name}"

    @property
    def path(self) -> str:
        """The path of the logo itself."""
        return self.at(LOGO)


@dataclass(slots=True)
class Brand:
    """How this site presents itself. One object for the whole house; what is changed counts at once, everywhere."""

    name: str
    accent: str = ""
    """As `#rrggbb`; empty: the house's own."""
    logo: Logo | None = None


@dataclass(frozen=True, slots=True)
class MailBrand:
    """The brand as a mail shows it: the colour of buttons, what is written on them, and the logo's address if both it
    and the site's are known."""

    colour: str
    ink: str
    logo: str


def in_mail(brand: Brand, home: str) -> MailBrand:
    """How mails look. `home`: the site's address, empty if that is not known."""
    shades = both(brand.accent)[0]
    logo = f"{home}{brand.logo.path}" if brand.logo and home else ""
    return MailBrand(shades.accent, shades.on, logo)


OWN_LIGHT = Shades(OWN, "#08503f", WHITE, "#dff2ec")
OWN_DARK = Shades("#5ed6b7", "#86e6cc", "#05231c", "#12332b")
"""As web/styles/tokens.css has them."""


@lru_cache(maxsize=16)
def both(accent: str) -> tuple[Shades, Shades]:
    """The shades for light and for dark pages; the house's own where no colour was chosen. To find them takes some
    milliseconds, and every mail and every first visit asks."""
    return (on_light(accent), on_dark(accent)) if accent else (OWN_LIGHT, OWN_DARK)


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def on_light(accent: str) -> Shades:
    """The shades for light pages: the colour itself where words in it are readable, else darker."""
    return _shades(accent, LIGHT_GROUNDS, LIGHT_INK, -1)


def on_dark(accent: str) -> Shades:
    """The shades for dark pages, and for players: the colour itself where it is readable, else lighter."""
    return _shades(accent, DARK_GROUNDS, DARK_INK, 1)


def _shades(accent: str, grounds: tuple[str, ...], ink: str, direction: int) -> Shades:
    found = _until(accent, direction, lambda tried: _readable(tried, (*grounds, _wash(tried, grounds[0], ink))))
    strong = _with_lightness(found, min(1.0, max(0.0, _oklab(found)[0] + direction * HOVER)))
    return Shades(found, strong, _written_on(found, strong), _wash(found, grounds[0], ink))


def _wash(colour: str, ground: str, ink: str) -> str:
    """As much of the colour over a ground as leaves the faintest words on it readable."""
    washes = (_mixed(colour, ground, share / 100) for share in range(WASH, 0, -1))
    return next((wash for wash in washes if contrast(ink, wash) >= READABLE), ground)


def _readable(colour: str, grounds: tuple[str, ...]) -> bool:
    """Whether words in this colour can be read on all of these."""
    return all(contrast(colour, ground) >= READABLE for ground in grounds)


def _written_on(*colours: str) -> str:
    """White, or the darkest shade of the colour: what can be read better on all of these."""
    dark = _with_lightness(colours[0], 0.16)
    return max((WHITE, dark), key=lambda ink: min(contrast(ink, colour) for colour in colours))


def _until(colour: str, direction: int, enough: Callable[[str], bool]) -> str:
    """The nearest shade of the colour, darker (-1) or lighter (1), that is `enough`; black or white at the end."""
    lightness = _oklab(colour)[0]
    end = 1.0 if direction > 0 else 0.0
    for step in range(STEPS + 1):
        tried = _with_lightness(colour, lightness + (end - lightness) * step / STEPS) if step else colour.lower()
        if enough(tried):
            return tried
    return WHITE if direction > 0 else "#000000"


def _with_lightness(colour: str, lightness: float) -> str:
    """The same hue at another lightness, with as much colour as screens can show there."""
    _, a, b = _oklab(colour)
    for step in range(STEPS + 1):
        share = 1 - step / STEPS
        channels = _linear_of(lightness, a * share, b * share)
        if all(-1e-4 <= channel <= 1 + 1e-4 for channel in channels):
            return _hex(channels)
    return WHITE if lightness > 0.5 else "#000000"


def _mixed(colour: str, ground: str, share: float) -> str:
    """So much of the colour laid over a ground, as browsers mix in sRGB."""
    over, under = _channels(colour), _channels(ground)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in zip(over, under, strict=True))


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _linear(colour: str) -> Linear:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(colour))
    )
    return red, green, blue


def _hex(channels: Linear) -> str:
    values = (min(1.0, max(0.0, channel)) for channel in channels)
    curved = (12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055 for value in values)
    return "#" + "".join(f"{round(value * 255):02x}" for value in curved)


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _oklab(colour: str) -> Linear:
    red, green, blue = _linear(colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _linear_of(lightness: float, a: float, b: float) -> Linear:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
