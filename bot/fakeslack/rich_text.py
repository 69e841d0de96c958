"""What may stand inside a rich_text block, as tables."""

from typing import Final

from bot.fakeslack.schema import Boolean, ByType, Integer, ListOf, Object, Schema, String

BOOLEAN: Final = Boolean()
TEXT_STYLE: Final = Object(
    optional=dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight"), BOOLEAN)
)
STYLED: Final[dict[str, Schema]] = {"style": TEXT_STYLE}

RICH_TEXT_ELEMENTS: Final[dict[str, Schema]] = {
    "text": Object(required={"text": String()}, optional=STYLED),
    "link": Object(required={"url": String()}, optional={**STYLED, "text": String(min_length=0), "unsafe": BOOLEAN}),
    "user": Object(required={"user_id": String()}, optional=STYLED),
    "channel": Object(required={"channel_id": String()}, optional=STYLED),
    "usergroup": Object(required={"usergroup_id": String()}, optional=STYLED),
    "broadcast": Object(required={"range": String(choices=("here", "channel", "everyone"))}, optional=STYLED),
    "emoji": Object(required={"name": String()}, optional={**STYLED, "unicode": String(), "skin_tone": Integer()}),
    "color": Object(required={"value": String(pattern=r"#[0-9a-fA-F]{6}")}),
    "date": Object(
        required={"timestamp": Integer(), "format": String()},
        optional={"url": String(), "fallback": String(), **STYLED},
    ),
}
RICH_TEXT_CONTENT: Final = ListOf(item=ByType(types=RICH_TEXT_ELEMENTS), min_items=0)
BORDER: Final[dict[str, Schema]] = {"border": Integer(maximum=1)}
RICH_TEXT_SECTION: Final = Object(required={"elements": RICH_TEXT_CONTENT})

RICH_TEXT_BLOCKS: Final[dict[str, Schema]] = {
    "rich_text_section": RICH_TEXT_SECTION,
    "rich_text_preformatted": Object(
        required={"elements": RICH_TEXT_CONTENT}, optional={**BORDER, "language": String()}
    ),
    "rich_text_quote": Object(required={"elements": RICH_TEXT_CONTENT}, optional=BORDER),
    "rich_text_list": Object(
        required={
            "elements": ListOf(item=ByType(types={"rich_text_section": RICH_TEXT_SECTION})),
            "style": String(choices=("bullet", "ordered")),
        },
        optional={**BORDER, "indent": Integer(maximum=8), "offset": Integer()},
    ),
}
