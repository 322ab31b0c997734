"""Colours as mails write them, and how far apart two of them are (WCAG 2.2, section 1.4.3)."""

import re
from colorsys import hls_to_rgb
from typing import Final

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

WHITE: Final[Colour] = (255, 255, 255)
BLACK: Final[Colour] = (0, 0, 0)
LINK: Final[Colour] = (0, 0, 238)
"""Of a link that nobody coloured."""

_NAMES: Final = {
    "aqua": "00ffff", "beige": "f5f5dc", "black": "000000", "blue": "0000ff", "brown": "a52a2a", "crimson": "dc143c",
    "cyan": "00ffff", "darkblue": "00008b", "darkgray": "a9a9a9", "darkgreen": "006400", "darkgrey": "a9a9a9",
    "darkred": "8b0000", "dimgray": "696969", "dimgrey": "696969", "fuchsia": "ff00ff", "gainsboro": "dcdcdc",
    "gold": "ffd700", "gray": "808080", "green": "008000", "grey": "808080", "ivory": "fffff0", "lightgray": "d3d3d3",
    "lightgrey": "d3d3d3", "lime": "00ff00", "magenta": "ff00ff", "maroon": "800000", "navy": "000080",
    "olive": "808000", "orange": "ffa500", "pink": "ffc0cb", "purple": "800080", "red": "ff0000", "silver": "c0c0c0",
    "snow": "fffafa", "teal": "008080", "tomato": "ff6347", "white": "ffffff", "whitesmoke": "f5f5f5",
    "yellow": "ffff00",
}  # fmt: skip
_HEX = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*(?:[,/]\s*(?:1|1\.0|100%)\s*)?\)")
_HSL = re.compile(
    r"hsla?\(\s*(\d{1,3})(?:deg)?\s*[, ]\s*(\d{1,3})%\s*[, ]\s*(\d{1,3})%\s*(?:[,/]\s*(?:1|1\.0|100%)\s*)?\)"
)


def read(text: str) -> Colour | None:
    """A colour in small letters; ``None`` for one that is not known, and for one that lets others shine through."""
    text = text.strip()[:60]
    if name := _NAMES.get(text):
        text = name
    if match := _HEX.fullmatch(text):
        digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if match := _RGB.fullmatch(text):
        red, green, blue = (min(int(part), 255) for part in match.groups())
        return red, green, blue
    if match := _HSL.fullmatch(text):
        hue, saturation, lightness = (int(part) for part in match.groups())
        parts = hls_to_rgb(hue % 360 / 360, min(lightness, 100) / 100, min(saturation, 100) / 100)
        red, green, blue = (round(255 * part) for part in parts)
        return red, green, blue
    return None


def contrast(one: Colour, other: Colour) -> float:
    """From 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def written(colour: Colour) -> str:
    """As in a style: ``#1e293b``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def is_dark(colour: Colour) -> bool:
    """White can be read on it better than black."""
    return contrast(colour, WHITE) > contrast(colour, BLACK)


def _luminance(colour: Colour) -> float:
    """Relative luminance by WCAG 2.2."""
    red, green, blue = (
        share / 12.92 if (share := part / 255) <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
