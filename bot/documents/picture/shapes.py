"""The mark of each kind as a path around (0, 0), within 6 pixels: no font has to have a sign for it.

They resemble the vocabulary's marks. Filled ones are drawn solid, the others as a line 2 pixels thick.
"""

from dataclasses import dataclass
from typing import Final

from bot.vocabulary import (
    ACKNOWLEDGED,
    CAUSE,
    DETECTED,
    DID,
    ESCALATED,
    IMPACT,
    INVESTIGATING,
    LESSON,
    MITIGATED,
    NOTE,
    REOPENED,
    RESOLVED,
    RULED_OUT,
    STARTED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A path, and whether it is filled."""

    path: str
    filled: bool = True


_RING = "M5 0A5 5 0 1 1 -5 0A5 5 0 1 1 5 0Z"
SHAPES: Final = {
    STARTED: Shape(path="M-4.5 -5.5L6 0L-4.5 5.5Z"),
    DETECTED: Shape(path=f"{_RING}M2 0A2 2 0 1 1 -2 0A2 2 0 1 1 2 0Z", filled=False),
    ACKNOWLEDGED: Shape(path="M0 -5L5 0L0 5L-5 0Z", filled=False),
    ESCALATED: Shape(path="M0 -5.5L6 4.5H-6Z"),
    INVESTIGATING: Shape(path="M2.5 -1A3.5 3.5 0 1 1 -4.5 -1A3.5 3.5 0 1 1 2.5 -1ZM1.7 1.7L5 5", filled=False),
    RULED_OUT: Shape(path="M-4 -4L4 4M4 -4L-4 4", filled=False),
    DID: Shape(path="M4.5 0A4.5 4.5 0 1 1 -4.5 0A4.5 4.5 0 1 1 4.5 0Z"),
    IMPACT: Shape(path="M-1.5 -6H1.5V1.5H-1.5ZM-1.5 3.2H1.5V6H-1.5Z"),
    CAUSE: Shape(path="M0 -5.5L5.5 0L0 5.5L-5.5 0Z"),
    MITIGATED: Shape(path=f"{_RING}M0 -4.5V4.5M1.8 -3.5V3.5M3.4 -2V2", filled=False),
    RESOLVED: Shape(path="M-5 0.5L-1.5 4L5 -4", filled=False),
    REOPENED: Shape(path="M4.3 2.5A5 5 0 1 1 3.5 -3.6M4.6 -5.8V-2.6H1.4", filled=False),
    NOTE: Shape(path="M-5 -3H5M-5 0H5M-5 3H2", filled=False),
    LESSON: Shape(path="M0 -6L1.6 -1.9L6 -1.9L2.5 0.8L3.7 5L0 2.5L-3.7 5L-2.5 0.8L-6 -1.9L-1.6 -1.9Z"),
}
