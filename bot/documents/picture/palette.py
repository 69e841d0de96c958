"""The picture's colours, light and dark, by what they are for.

The phases follow Okabe and Ito's colours for all kinds of sight; next to each other they differ in lightness too, and
two of them by a pattern, so that grey does. Letters keep a contrast of 4.5 to 1 (WCAG 2, AA), signs one of 3 to 1.
"""

from typing import Final

LIGHT: Final = {
    "paper": "#ffffff",
    "ink": "#1d2530",
    "soft": "#56616f",
    "line": "#dbe0e7",
    "milestone": "#0b5cad",
    "mark": "#3c4654",
    "undetected": "#b34700",
    "unrecorded": "#c3cad3",
    "investigating": "#f0b030",
    "mitigating": "#0072b2",
    "monitoring": "#a6dcca",
    "closed": "#f1f3f6",
    "on-undetected": "#ffffff",
    "on-unrecorded": "#1d2530",
    "on-investigating": "#1d2530",
    "on-mitigating": "#ffffff",
    "on-monitoring": "#1d2530",
    "on-closed": "#1d2530",
}
DARK: Final = LIGHT | {
    "paper": "#14181e",
    "ink": "#e4e8ee",
    "soft": "#a3aebb",
    "line": "#363f4b",
    "milestone": "#7fb8f5",
    "mark": "#c3ccd6",
    "undetected": "#c04d00",
    "unrecorded": "#8d97a4",
    "mitigating": "#1176b6",
    "closed": "#262d37",
    "on-closed": "#e4e8ee",
}
TINT: Final = 0.13
"""How much of a phase's colour lies behind its entries."""


def dark_style() -> str:
    """The style sheet that turns the picture dark where its reader likes it dark: one rule a colour, by class."""
    rules = "".join(
        f".scribe-picture .{role}{{fill:{colour}}}.scribe-picture .{role}-stroke{{stroke:{colour}}}"
        for role, colour in DARK.items()
    )
    return f"@media (prefers-color-scheme:dark){{{rules}}}"
