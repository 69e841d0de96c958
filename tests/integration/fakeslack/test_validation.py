from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from slack_sdk.models import blocks as sdk
from slack_sdk.models.blocks import block_elements
from slack_sdk.models.views import View

from bot.fakeslack.block_kit import BLOCKS, ELEMENTS, INPUT_ELEMENTS, VIEWS
from bot.fakeslack.schema import Object
from bot.fakeslack.validation import ApiError, check_message, check_view

Json = dict[str, Any]
Made = Callable[[int], Json]

SECTION: Json = {"type": "section", "text": {"type": "mrkdwn", "text": "words"}}


def plain(length: int) -> Json:
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int) -> Json:
    return {"type": "mrkdwn", "text": "x" * length}


def options(count: int, *, text: int = 5, value: int = 3) -> list[Json]:
    return [{"text": plain(text), "value": f"{index:03d}".ljust(value, "v") if value else ""} for index in range(count)]


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def button(**more: object) -> Json:
    return {"type": "button", "text": plain(5), **more}


def asked(element: Json, **more: object) -> Json:
    return {"type": "input", "label": plain(5), "element": element, **more}


def rows(count: int, cells: int) -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * cells] * count}


def error_of(*blocks: Json, text: str = "words") -> str | None:
    try:
        check_message(text, list(blocks))
    except ApiError as refused:
        return refused.error
    return None


def modal(*blocks: Json, **more: object) -> Json:
    return {
        "type": "modal",
        "title": plain(5),
        "submit": plain(4),
        "blocks": list(blocks or [SECTION]),
        **more,
    }


LIMITS: list[tuple[str, Made, int]] = [
    ("a section's text", lambda n: {"type": "section", "text": mrkdwn(n)}, 3000),
    ("a section's fields", lambda n: {"type": "section", "fields": [mrkdwn(9)] * n}, 10),
    ("a field's text", lambda n: {"type": "section", "fields": [mrkdwn(n)]}, 2000),
    ("a header's text", lambda n: {"type": "header", "text": plain(n)}, 150),
    ("a context's elements", lambda n: {"type": "context", "elements": [mrkdwn(9)] * n}, 10),
    ("a row's elements", lambda n: actions(*[button() for _ in range(n)]), 25),
    ("a button's text", lambda n: actions(button(text=plain(n))), 75),
    ("a button's value", lambda n: actions(button(value="v" * n)), 2000),
    ("an action_id", lambda n: actions(button(action_id="a" * n)), 255),
    ("a block_id", lambda n: {**SECTION, "block_id": "b" * n}, 255),
    ("a select's options", lambda n: actions({"type": "static_select", "options": options(n)}), 100),
    ("an option's text", lambda n: actions({"type": "static_select", "options": options(1, text=n)}), 75),
    ("an option's value", lambda n: actions({"type": "static_select", "options": options(1, value=n)}), 150),
    ("radio buttons", lambda n: actions({"type": "radio_buttons", "options": options(n)}), 10),
    ("an overflow's options", lambda n: actions({"type": "overflow", "options": options(n)}), 5),
    ("a placeholder", lambda n: actions({"type": "users_select", "placeholder": plain(n)}), 150),
    ("a label", lambda n: asked({"type": "plain_text_input"}, label=plain(n)), 2000),
    ("a hint", lambda n: asked({"type": "plain_text_input"}, hint=plain(n)), 2000),
    ("a markdown block", lambda n: {"type": "markdown", "text": "x" * n}, 12_000),
    ("a table's rows", lambda n: rows(n, 2), 100),
    ("a table's cells", lambda n: rows(2, n), 20),
    (
        "an image's alt_text",
        lambda n: {"type": "image", "image_url": "https://x.y/z", "alt_text": "x" * n},
        2000,
    ),
]


@pytest.mark.parametrize(("what", "made", "most"), LIMITS, ids=[limit[0] for limit in LIMITS])
def test_as_much_as_allowed_passes_and_one_more_does_not(what: str, made: Made, most: int) -> None:
    assert error_of(made(most)) is None, what
    assert error_of(made(most + 1)) == "invalid_blocks", what


@pytest.mark.parametrize(("what", "made", "most"), LIMITS, ids=[limit[0] for limit in LIMITS])
def test_nothing_may_be_empty(what: str, made: Made, most: int) -> None:
    assert most
    assert error_of(made(0)) == "invalid_blocks", what


def test_a_message_has_at_most_fifty_blocks() -> None:
    assert error_of(*[SECTION] * 50) is None
    assert error_of(*[SECTION] * 51) == "invalid_blocks"


def test_all_blocks_together_have_at_most_thirteen_thousand_characters() -> None:
    full = {"type": "section", "text": mrkdwn(2600)}
    assert error_of(*[full] * 5) is None
    assert error_of(*[full] * 5, {"type": "section", "text": mrkdwn(1)}) == "msg_blocks_too_long"


def test_all_markdown_together_has_at_most_twelve_thousand_characters() -> None:
    half = {"type": "markdown", "text": "x" * 6000}
    assert error_of(half, half) is None
    assert error_of(half, half, {"type": "markdown", "text": "x"}) == "invalid_blocks"


def test_text_is_always_needed_and_has_a_limit() -> None:
    assert error_of(text="") == "no_text"
    assert error_of(SECTION, text=" ") == "no_text"
    assert error_of(text="x" * 40_000) is None
    assert error_of(text="x" * 40_001) == "msg_too_long"


@pytest.mark.parametrize(
    "block",
    [
        {"type": "carousel"},
        {"text": mrkdwn(3)},
        "section",
        {"type": ["section"]},
        {"type": "section"},
        {**SECTION, "colour": "red"},
        {"type": "header", "text": mrkdwn(3)},
        {"type": "section", "text": {"type": "html", "text": "x"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": 5}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": True}},
        actions({"type": "plain_text_input"}),
        actions({"type": "slider"}),
        actions(button(style="loud")),
        actions(button(color="red")),
        actions({"type": "static_select"}),
        actions({"type": "datepicker", "initial_date": "tomorrow"}),
        actions({"type": "datetimepicker", "initial_date_time": "1700000000"}),
        actions({"type": "static_select", "options": options(2), "initial_option": options(3)[2]}),
        actions({"type": "checkboxes", "options": options(2), "initial_options": options(3)}),
        asked(button()),
        {"type": "image", "alt_text": "no picture"},
        {"type": "rich_text", "elements": [{"type": "text", "text": "x"}]},
        {"type": "table", "rows": [[mrkdwn(3)]]},
    ],
    ids=str,
)
def test_what_is_not_in_the_block_kit_reference_is_refused(block: Json) -> None:
    assert error_of(block) == "invalid_blocks"


def test_an_error_says_what_and_where() -> None:
    with pytest.raises(ApiError) as refused:
        check_message("x", [SECTION, {"type": "header", "text": plain(151)}])
    assert refused.value.details == ("[ERROR] must be less than 151 characters [json-pointer:/blocks/1/text/text]",)


def test_ids_are_unique_blocks_in_a_message_and_actions_in_a_block() -> None:
    named, pressed = {**SECTION, "block_id": "b"}, button(action_id="a")
    assert error_of(named, named) == "invalid_blocks"
    assert error_of(actions(pressed, pressed)) == "invalid_blocks"
    assert error_of(actions(pressed), actions(pressed)) is None


def test_rich_text_and_tables_pass_as_slack_documents_them() -> None:
    section = {
        "type": "rich_text_section",
        "elements": [
            {"type": "text", "text": "x", "style": {"bold": True}},
            {"type": "user", "user_id": "U1"},
        ],
    }
    listed = {"type": "rich_text_list", "style": "bullet", "elements": [section]}
    rich = {"type": "rich_text", "elements": [section, listed]}
    table = {
        "type": "table",
        "rows": [[{"type": "raw_text", "text": "x"}, rich]],
        "column_settings": [{"align": "right"}],
    }
    assert error_of(rich, table) is None


@pytest.mark.parametrize(
    ("view", "fault"),
    [
        (modal(title=plain(25)), "less than 25"),
        (modal(submit=plain(25)), "less than 25"),
        (modal(close=plain(25)), "less than 25"),
        (modal(private_metadata="x" * 3001), "less than 3001"),
        (modal(callback_id="x" * 256), "less than 256"),
        (modal(*[SECTION] * 101), "no more than 100"),
        (modal({"type": "markdown", "text": "x"}), "not allowed here"),
        (modal(colour="red"), "additional property: colour"),
        ({"type": "modal", "blocks": [SECTION]}, "missing required field: title"),
        ({"type": "modal", "title": plain(5)}, "missing required field: blocks"),
        ({"type": "dialog", "title": plain(5), "blocks": []}, "unsupported type"),
        ({"type": "home", "title": plain(5), "blocks": []}, "additional property: title"),
        (
            {"type": "modal", "title": plain(5), "blocks": [asked({"type": "plain_text_input"})]},
            "missing required field: submit",
        ),
        (modal(*[asked({"type": "plain_text_input", "action_id": "a"})] * 2), "already exists"),
    ],
)
def test_a_bad_view_is_refused(view: Json, fault: str) -> None:
    with pytest.raises(ApiError) as refused:
        check_view(view)
    assert refused.value.error == "invalid_arguments"
    assert fault in " ".join(refused.value.details)


def test_a_view_as_large_as_allowed_passes_and_a_huge_one_is_too_large() -> None:
    check_view(modal(*[SECTION] * 100, title=plain(24), close=plain(24), private_metadata="x" * 3000))
    check_view({"type": "home", "blocks": []})
    with pytest.raises(ApiError, match="view_too_large"):
        check_view(modal(*[{"type": "section", "text": mrkdwn(3000)}] * 90))


def known(module: ModuleType, name: str) -> set[str]:
    """The keys slack_sdk has for the block or element of type `name`."""
    classes = [kind for kind in vars(module).values() if getattr(kind, "type", "") == name]
    made = [kind.__new__(kind) for kind in classes]
    return set().union(*(one.attributes for one in made))


@pytest.mark.parametrize("name", BLOCKS)
def test_no_block_has_a_key_that_slack_sdk_does_not_have(name: str) -> None:
    assert {*BLOCKS[name].required, *BLOCKS[name].optional} <= known(sdk, name)


@pytest.mark.parametrize("name", ELEMENTS)
def test_no_element_has_a_key_that_slack_sdk_does_not_have(name: str) -> None:
    rule = ELEMENTS[name]
    assert isinstance(rule, Object)
    assert {*rule.required, *rule.optional} <= known(block_elements, name)


def test_the_limits_are_those_of_slack_sdk() -> None:
    assert error_of(actions(button(text=plain(sdk.ButtonElement.text_max_length)))) is None
    assert error_of(actions(button(value="v" * sdk.ButtonElement.value_max_length))) is None
    assert error_of({"type": "header", "text": plain(sdk.HeaderBlock.text_max_length)}) is None
    check_view(modal(title=plain(View.title_max_length)))
    assert set(VIEWS) == {"modal", "home"}
    assert set(INPUT_ELEMENTS) < set(ELEMENTS)
