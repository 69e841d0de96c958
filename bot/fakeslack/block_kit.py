"""Block Kit's blocks, elements and views as schemas: their keys and the limits of their values.

Source: Slack's Block Kit reference. Lengths are in characters. A key that Slack's own types do not know is not taken:
tests/unit/slack/test_slackschemas.py compares the two.
"""

from typing import Final

from bot.fakeslack.schema import AnyOf, Boolean, ByType, Integer, ListOf, Object, Schema, String

MAX_MESSAGE_BLOCKS: Final = 50
MAX_VIEW_BLOCKS: Final = 100
MAX_MESSAGE_TEXT: Final = 40_000
MAX_BLOCKS_TEXT: Final = 13_000
MAX_MARKDOWN_TEXT: Final = 12_000
MAX_VIEW_BYTES: Final = 250_000
MAX_TABLE_ROWS: Final = 100
MAX_TABLE_CELLS: Final = 20

DATE_PATTERN: Final = r"\d{4}-\d{2}-\d{2}"
TIME_PATTERN: Final = r"\d{2}:\d{2}"
BOOLEAN: Final = Boolean()
IDENTIFIER: Final = String(max_length=255)
URL: Final = String(max_length=3000, pattern=r"https?://.+")

TEXT_STYLE: Final = Object(optional=dict.fromkeys(("bold", "italic", "strike", "code", "underline"), BOOLEAN))
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
    "rich_text_preformatted": Object(required={"elements": RICH_TEXT_CONTENT}, optional=BORDER),
    "rich_text_quote": Object(required={"elements": RICH_TEXT_CONTENT}, optional=BORDER),
    "rich_text_list": Object(
        required={
            "elements": ListOf(item=ByType(types={"rich_text_section": RICH_TEXT_SECTION})),
            "style": String(choices=("bullet", "ordered")),
        },
        optional={**BORDER, "indent": Integer(maximum=8)},
    ),
}


def plain_text(max_length: int) -> Schema:
    """The schema of a plain_text object of at most `max_length` characters."""
    return ByType(
        types={"plain_text": Object(required={"text": String(max_length=max_length)}, optional={"emoji": BOOLEAN})}
    )


def text_object(max_length: int) -> Schema:
    """The schema of a plain_text or mrkdwn object of at most `max_length` characters."""
    string = String(max_length=max_length)
    return ByType(
        types={
            "plain_text": Object(required={"text": string}, optional={"emoji": BOOLEAN}),
            "mrkdwn": Object(required={"text": string}, optional={"verbatim": BOOLEAN}),
        }
    )


def option(*, url: bool = False) -> Schema:
    """The schema of an option; only an overflow menu's options may have a `url`."""
    link: dict[str, Schema] = {"url": URL} if url else {}
    return Object(
        required={"text": text_object(75), "value": String(max_length=150)},
        optional={"description": plain_text(75), **link},
    )


STYLE: Final = String(choices=("primary", "danger"))
CONFIRM: Final = Object(
    required={"title": plain_text(100), "text": text_object(300), "confirm": plain_text(30), "deny": plain_text(30)},
    optional={"style": STYLE},
)
OPTION: Final = option()
OPTION_GROUPS: Final = ListOf(
    item=Object(required={"label": plain_text(75), "options": ListOf(item=OPTION, max_items=100)}), max_items=100
)
INTERACTIVE: Final[dict[str, Schema]] = {"action_id": IDENTIFIER, "confirm": CONFIRM}
MENU: Final[dict[str, Schema]] = {**INTERACTIVE, "placeholder": plain_text(150), "focus_on_load": BOOLEAN}
FOCUSABLE: Final[dict[str, Schema]] = {**INTERACTIVE, "focus_on_load": BOOLEAN}
DISPATCH_CONFIG: Final = Object(
    required={
        "trigger_actions_on": ListOf(item=String(choices=("on_enter_pressed", "on_character_entered")), max_items=2)
    }
)
IMAGE: Final = Object(
    required={"alt_text": String(max_length=2000)},
    optional={"image_url": URL, "slack_file": Object(optional={"id": IDENTIFIER, "url": URL})},
    any_of=("image_url", "slack_file"),
)

ELEMENTS: Final[dict[str, Schema]] = {
    "button": Object(
        required={"text": plain_text(75)},
        optional={
            **INTERACTIVE,
            "value": String(max_length=2000),
            "url": URL,
            "style": STYLE,
            "accessibility_label": String(max_length=75),
        },
    ),
    "static_select": Object(
        optional={
            **MENU,
            "options": ListOf(item=OPTION, max_items=100),
            "option_groups": OPTION_GROUPS,
            "initial_option": OPTION,
        },
        any_of=("options", "option_groups"),
    ),
    "users_select": Object(optional={**MENU, "initial_user": IDENTIFIER}),
    "datepicker": Object(optional={**MENU, "initial_date": String(pattern=DATE_PATTERN)}),
    "timepicker": Object(optional={**MENU, "initial_time": String(pattern=TIME_PATTERN), "timezone": String()}),
    "datetimepicker": Object(
        optional={**FOCUSABLE, "initial_date_time": Integer(minimum=1_000_000_000, maximum=9_999_999_999)}
    ),
    "plain_text_input": Object(
        optional={
            "action_id": IDENTIFIER,
            "placeholder": plain_text(150),
            "focus_on_load": BOOLEAN,
            "multiline": BOOLEAN,
            "initial_value": String(max_length=3000, min_length=0),
            "min_length": Integer(maximum=3000),
            "max_length": Integer(minimum=1, maximum=3000),
            "dispatch_action_config": DISPATCH_CONFIG,
        }
    ),
    "radio_buttons": Object(
        required={"options": ListOf(item=OPTION, max_items=10)}, optional={**FOCUSABLE, "initial_option": OPTION}
    ),
    "checkboxes": Object(
        required={"options": ListOf(item=OPTION, max_items=10)},
        optional={**FOCUSABLE, "initial_options": ListOf(item=OPTION, max_items=10)},
    ),
    "overflow": Object(required={"options": ListOf(item=option(url=True), max_items=5)}, optional=INTERACTIVE),
    "image": IMAGE,
}

INPUT_ELEMENTS: Final = tuple(name for name in ELEMENTS if name not in {"button", "overflow", "image"})
ACTION_ELEMENTS: Final = tuple(name for name in ELEMENTS if name not in {"plain_text_input", "image"})
ACCESSORIES: Final = tuple(name for name in ELEMENTS if name not in {"plain_text_input", "datetimepicker"})
RICH_TEXT: Final = Object(
    required={"elements": ListOf(item=ByType(types=RICH_TEXT_BLOCKS))}, optional={"block_id": IDENTIFIER}
)
TABLE_CELL: Final = ByType(types={"raw_text": Object(required={"text": String()}), "rich_text": RICH_TEXT})
COLUMN_SETTINGS: Final = Object(optional={"align": String(choices=("left", "center", "right")), "is_wrapped": BOOLEAN})
CONTEXT_ELEMENT: Final = AnyOf(
    schemas=(text_object(3000), ByType(types={"image": IMAGE})),
)

BLOCKS: Final[dict[str, Object]] = {
    "section": Object(
        optional={
            "block_id": IDENTIFIER,
            "text": text_object(3000),
            "fields": ListOf(item=text_object(2000), max_items=10),
            "expand": BOOLEAN,
            "accessory": ByType(types=ELEMENTS, only=ACCESSORIES),
        },
        any_of=("text", "fields"),
    ),
    "header": Object(required={"text": plain_text(150)}, optional={"block_id": IDENTIFIER}),
    "context": Object(
        required={"elements": ListOf(item=CONTEXT_ELEMENT, max_items=10)}, optional={"block_id": IDENTIFIER}
    ),
    "actions": Object(
        required={"elements": ListOf(item=ByType(types=ELEMENTS, only=ACTION_ELEMENTS), max_items=25)},
        optional={"block_id": IDENTIFIER},
    ),
    "divider": Object(optional={"block_id": IDENTIFIER}),
    "input": Object(
        required={"label": plain_text(2000), "element": ByType(types=ELEMENTS, only=INPUT_ELEMENTS)},
        optional={"block_id": IDENTIFIER, "hint": plain_text(2000), "optional": BOOLEAN, "dispatch_action": BOOLEAN},
    ),
    "markdown": Object(required={"text": String(max_length=MAX_MARKDOWN_TEXT)}, optional={"block_id": IDENTIFIER}),
    "image": Object(
        required={"alt_text": String(max_length=2000)},
        optional={**IMAGE.optional, "block_id": IDENTIFIER, "title": plain_text(2000)},
        any_of=IMAGE.any_of,
    ),
    "rich_text": RICH_TEXT,
    "table": Object(
        required={"rows": ListOf(item=ListOf(item=TABLE_CELL, max_items=MAX_TABLE_CELLS), max_items=MAX_TABLE_ROWS)},
        optional={"block_id": IDENTIFIER, "column_settings": ListOf(item=COLUMN_SETTINGS, max_items=MAX_TABLE_CELLS)},
    ),
    "file": Object(
        required={"external_id": IDENTIFIER, "source": String(choices=("remote",))},
        optional={"block_id": IDENTIFIER},
    ),
}

MESSAGE_ONLY_BLOCKS: Final = frozenset({"markdown", "table", "file"})
VIEW_BLOCKS: Final = tuple(name for name in BLOCKS if name not in MESSAGE_ONLY_BLOCKS)

VIEWS: Final[dict[str, Object]] = {
    "modal": Object(
        required={
            "title": plain_text(24),
            "blocks": ListOf(item=ByType(types=BLOCKS, only=VIEW_BLOCKS), max_items=MAX_VIEW_BLOCKS),
        },
        optional={
            "close": plain_text(24),
            "submit": plain_text(24),
            "private_metadata": String(max_length=3000, min_length=0),
            "callback_id": String(max_length=255, min_length=0),
            "external_id": String(max_length=255, min_length=0),
            "clear_on_close": BOOLEAN,
            "notify_on_close": BOOLEAN,
        },
    ),
    "home": Object(
        required={
            "blocks": ListOf(item=ByType(types=BLOCKS, only=VIEW_BLOCKS), max_items=MAX_VIEW_BLOCKS, min_items=0),
        },
        optional={
            "private_metadata": String(max_length=3000, min_length=0),
            "callback_id": String(max_length=255, min_length=0),
            "external_id": String(max_length=255, min_length=0),
        },
    ),
}
