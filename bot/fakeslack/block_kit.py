"""Block Kit's limits as tables: which blocks and elements there are, their keys, and how long each may be.

Nothing but figures and keys; what is done with them is in validation.py.
"""

from typing import Final

from bot.fakeslack.rich_text import RICH_TEXT_PARTS
from bot.fakeslack.schema import Each, Either, Flag, Record, Rule, Typed, Whole, Words

MESSAGE_BLOCKS: Final = 50
VIEW_BLOCKS: Final = 100
MESSAGE_TEXT: Final = 40_000
ALL_BLOCKS_TEXT: Final = 13_000
ALL_MARKDOWN_TEXT: Final = 12_000
VIEW_BYTES: Final = 250_000
TABLE_ROWS: Final = 100
TABLE_CELLS: Final = 20

DATE: Final = r"\d{4}-\d{2}-\d{2}"
TIME: Final = r"\d{2}:\d{2}"
FLAG: Final = Flag()
IDENTIFIER: Final = Words(most=255)
URL: Final = Words(most=3000, pattern=r"https?://.+")


def plain(most: int) -> Rule:
    """A plain_text object of at most `most` characters."""
    return Typed(kinds={"plain_text": Record(required={"text": Words(most=most)}, optional={"emoji": FLAG})})


def text(most: int) -> Rule:
    """A plain_text or mrkdwn object of at most `most` characters."""
    words = Words(most=most)
    return Typed(
        kinds={
            "plain_text": Record(required={"text": words}, optional={"emoji": FLAG}),
            "mrkdwn": Record(required={"text": words}, optional={"verbatim": FLAG}),
        }
    )


def option(*, most: int, url: bool = False) -> Rule:
    """An option; `most` is the most characters of its text."""
    links: dict[str, Rule] = {"url": URL} if url else {}
    return Record(required={"text": text(most), "value": Words(most=150)}, optional={"description": plain(75), **links})


STYLE: Final = Words(choices=("primary", "danger"))
CONFIRM: Final = Record(
    required={"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    optional={"style": STYLE},
)
CHOICE: Final = option(most=75)
GROUPS: Final = Each(rule=Record(required={"label": plain(75), "options": Each(rule=CHOICE, most=100)}), most=100)
NAMED: Final[dict[str, Rule]] = {"action_id": IDENTIFIER, "confirm": CONFIRM}
ASKING: Final[dict[str, Rule]] = {**NAMED, "placeholder": plain(150), "focus_on_load": FLAG}
TICKS: Final[dict[str, Rule]] = {**NAMED, "focus_on_load": FLAG}
TYPING: Final = Record(
    required={"trigger_actions_on": Each(rule=Words(choices=("on_enter_pressed", "on_character_entered")), most=2)}
)
PICTURE: Final = Record(
    required={"alt_text": Words(most=2000)},
    optional={"image_url": URL, "slack_file": Record(optional={"id": IDENTIFIER, "url": URL})},
    any_of=("image_url", "slack_file"),
)

ELEMENTS: Final[dict[str, Rule]] = {
    "button": Record(
        required={"text": plain(75)},
        optional={
            **NAMED,
            "value": Words(most=2000),
            "url": URL,
            "style": STYLE,
            "accessibility_label": Words(most=75),
        },
    ),
    "static_select": Record(
        optional={
            **ASKING,
            "options": Each(rule=CHOICE, most=100),
            "option_groups": GROUPS,
            "initial_option": CHOICE,
        },
        any_of=("options", "option_groups"),
    ),
    "users_select": Record(optional={**ASKING, "initial_user": IDENTIFIER}),
    "datepicker": Record(optional={**ASKING, "initial_date": Words(pattern=DATE)}),
    "timepicker": Record(optional={**ASKING, "initial_time": Words(pattern=TIME), "timezone": Words()}),
    "datetimepicker": Record(optional={**TICKS, "initial_date_time": Whole(least=1_000_000_000, most=9_999_999_999)}),
    "plain_text_input": Record(
        optional={
            "action_id": IDENTIFIER,
            "placeholder": plain(150),
            "focus_on_load": FLAG,
            "multiline": FLAG,
            "initial_value": Words(most=3000, least=0),
            "min_length": Whole(most=3000),
            "max_length": Whole(least=1, most=3000),
            "dispatch_action_config": TYPING,
        }
    ),
    "radio_buttons": Record(
        required={"options": Each(rule=CHOICE, most=10)}, optional={**TICKS, "initial_option": CHOICE}
    ),
    "checkboxes": Record(
        required={"options": Each(rule=CHOICE, most=10)},
        optional={**TICKS, "initial_options": Each(rule=CHOICE, most=10)},
    ),
    "overflow": Record(required={"options": Each(rule=option(most=75, url=True), most=5)}, optional=NAMED),
    "image": PICTURE,
}

INPUTS: Final = tuple(kind for kind in ELEMENTS if kind not in {"button", "overflow", "image"})
ACTIONS: Final = tuple(kind for kind in ELEMENTS if kind not in {"plain_text_input", "image"})
RICH: Final = Record(required={"elements": Each(rule=Typed(kinds=RICH_TEXT_PARTS))}, optional={"block_id": IDENTIFIER})
CELL: Final = Typed(kinds={"raw_text": Record(required={"text": Words()}), "rich_text": RICH})
COLUMN: Final = Record(optional={"align": Words(choices=("left", "center", "right")), "is_wrapped": FLAG})
CONTEXT: Final = Either(
    rules=(text(3000), Typed(kinds={"image": PICTURE})),
)

BLOCKS: Final[dict[str, Record]] = {
    "section": Record(
        optional={
            "block_id": IDENTIFIER,
            "text": text(3000),
            "fields": Each(rule=text(2000), most=10),
            "expand": FLAG,
            "accessory": Typed(kinds=ELEMENTS, only=(*ACTIONS, "image")),
        },
        any_of=("text", "fields"),
    ),
    "header": Record(required={"text": plain(150)}, optional={"block_id": IDENTIFIER}),
    "context": Record(required={"elements": Each(rule=CONTEXT, most=10)}, optional={"block_id": IDENTIFIER}),
    "actions": Record(
        required={"elements": Each(rule=Typed(kinds=ELEMENTS, only=ACTIONS), most=25)},
        optional={"block_id": IDENTIFIER},
    ),
    "divider": Record(optional={"block_id": IDENTIFIER}),
    "input": Record(
        required={"label": plain(2000), "element": Typed(kinds=ELEMENTS, only=INPUTS)},
        optional={"block_id": IDENTIFIER, "hint": plain(2000), "optional": FLAG, "dispatch_action": FLAG},
    ),
    "markdown": Record(required={"text": Words(most=ALL_MARKDOWN_TEXT)}, optional={"block_id": IDENTIFIER}),
    "image": Record(
        required={"alt_text": Words(most=2000)},
        optional={**PICTURE.optional, "block_id": IDENTIFIER, "title": plain(2000)},
        any_of=PICTURE.any_of,
    ),
    "rich_text": RICH,
    "table": Record(
        required={"rows": Each(rule=Each(rule=CELL, most=TABLE_CELLS), most=TABLE_ROWS)},
        optional={"block_id": IDENTIFIER, "column_settings": Each(rule=COLUMN, most=TABLE_CELLS)},
    ),
    "file": Record(
        required={"external_id": IDENTIFIER, "source": Words(choices=("remote",))},
        optional={"block_id": IDENTIFIER},
    ),
}

IN_MESSAGES_ONLY: Final = frozenset({"markdown", "table", "file"})
IN_VIEWS: Final = tuple(kind for kind in BLOCKS if kind not in IN_MESSAGES_ONLY)

VIEWS: Final[dict[str, Record]] = {
    "modal": Record(
        required={
            "title": plain(24),
            "blocks": Each(rule=Typed(kinds=BLOCKS, only=IN_VIEWS), most=VIEW_BLOCKS),
        },
        optional={
            "close": plain(24),
            "submit": plain(24),
            "private_metadata": Words(most=3000, least=0),
            "callback_id": Words(most=255, least=0),
            "external_id": Words(most=255, least=0),
            "clear_on_close": FLAG,
            "notify_on_close": FLAG,
            "submit_disabled": FLAG,
        },
    ),
    "home": Record(
        required={
            "blocks": Each(rule=Typed(kinds=BLOCKS, only=IN_VIEWS), most=VIEW_BLOCKS, least=0),
        },
        optional={
            "private_metadata": Words(most=3000, least=0),
            "callback_id": Words(most=255, least=0),
            "external_id": Words(most=255, least=0),
        },
    ),
}
