"""A long text in portions that each fit into one input of a form, and the text of the portions again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PORTION = 2_500
"""Characters of one portion: 500 less than an input takes, so that there is room to write."""

_BLANK = " \n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Portions:
    """The portions, and the blanks between each and the next: a form might not give them back."""

    texts: tuple[str, ...]
    joints: tuple[str, ...]


def portions(text: str, limit: int = PORTION) -> Portions:
    """Cut a text where a paragraph ends, else a line, else a word; `Portions.texts` is never empty."""
    texts: list[str] = []
    joints: list[str] = []
    while len(text) > limit:
        cut = _cut(text, limit)
        head, tail = text[:cut].rstrip(_BLANK), text[cut:].lstrip(_BLANK)
        texts.append(head)
        joints.append(text[len(head) : len(text) - len(tail)])
        text = tail
    return Portions(texts=(*texts, text), joints=tuple(joints))


def _cut(text: str, limit: int) -> int:
    for sign in ("\n\n", "\n", " "):
        at = text.rfind(sign, limit // 2, limit)
        # Blanks at a line's beginning are its indentation, and belong to it.
        if at > 0 and (sign == " " or not text[at + len(sign) :].startswith(_BLANK[0])):
            return at
    return limit


def joined(texts: Iterable[str], joints: Sequence[str]) -> str:
    """The whole text, less the blanks around portions that were emptied."""
    whole = ""
    for text, joint in zip(texts, [*joints, ""], strict=False):
        whole += f"{text}{joint}" if text.strip() else ""
    return whole
