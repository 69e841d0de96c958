"""What may stand inside a rich_text block, as tables."""

from typing import Final

from bot.fakeslack.schema import Each, Flag, Record, Rule, Typed, Whole, Words

FLAG: Final = Flag()
STYLE: Final = Record(optional=dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight"), FLAG))
STYLED: Final[dict[str, Rule]] = {"style": STYLE}

LEAVES: Final[dict[str, Rule]] = {
    "text": Record(required={"text": Words()}, optional=STYLED),
    "link": Record(required={"url": Words()}, optional={**STYLED, "text": Words(least=0), "unsafe": FLAG}),
    "user": Record(required={"user_id": Words()}, optional=STYLED),
    "channel": Record(required={"channel_id": Words()}, optional=STYLED),
    "usergroup": Record(required={"usergroup_id": Words()}, optional=STYLED),
    "broadcast": Record(required={"range": Words(choices=("here", "channel", "everyone"))}, optional=STYLED),
    "emoji": Record(required={"name": Words()}, optional={**STYLED, "unicode": Words(), "skin_tone": Whole()}),
    "color": Record(required={"value": Words(pattern=r"#[0-9a-fA-F]{6}")}),
    "date": Record(
        required={"timestamp": Whole(), "format": Words()},
        optional={"url": Words(), "fallback": Words(), **STYLED},
    ),
}
RUN: Final = Each(rule=Typed(kinds=LEAVES), least=0)
BORDER: Final[dict[str, Rule]] = {"border": Whole(most=1)}
SECTION: Final = Record(required={"elements": RUN})

RICH_TEXT_PARTS: Final[dict[str, Rule]] = {
    "rich_text_section": SECTION,
    "rich_text_preformatted": Record(required={"elements": RUN}, optional={**BORDER, "language": Words()}),
    "rich_text_quote": Record(required={"elements": RUN}, optional=BORDER),
    "rich_text_list": Record(
        required={
            "elements": Each(rule=Typed(kinds={"rich_text_section": SECTION})),
            "style": Words(choices=("bullet", "ordered")),
        },
        optional={**BORDER, "indent": Whole(most=8), "offset": Whole()},
    ),
}
