"""What a person at the page may do, by name: each goes to the bot the way Slack would bring it there."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import Field, validate_call

from bot.demo.clock import JOURNEYS
from bot.demo.demo import DRILL_SPEED, Demo
from bot.demo.drill import Drill
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.elements import missing_inputs, state_values
from bot.fakeslack.objects import Message, View
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import elements_of

REQUIRED: Final = "Please fill in this field."
UNFIT: Final = "That does not fit in this field."

Action = Callable[..., Json]
Speed = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _told(answer: Answer | None, what: str) -> Json:
    """What Slack would tell the person of it, if anything."""
    if answer is None or answer.ok:
        return {}
    return {"problem": f"{what} failed with the error “{answer.error}”", "details": list(answer.details)}


@validate_call(config={"arbitrary_types_allowed": True})
def say(demo: Demo, *, user: str, channel: str, text: str, thread_ts: str | None = None) -> Json:
    """Say something, or type a command where it begins with a slash."""
    if not text.strip():
        return {}
    if not text.startswith("/"):
        demo.slack.say(user, channel, text, thread_ts=thread_ts)
        return {}
    command, _, words = text.partition(" ")
    if "\n" in command:
        command, _, words = text.partition("\n")
    if command not in demo.commands:
        return {"problem": f"{command[:40]} is not a valid command."}
    if thread_ts:
        instead = f"@scribe {command[1:]} {words}".strip()
        return {"problem": f"{command} is not supported in threads. Sorry! Say it to the bot instead: {instead[:300]}"}
    answer = demo.slack.command(user, channel, command, words)
    demo.hints.typed(answer)
    return _told(answer, command)


@validate_call(config={"arbitrary_types_allowed": True})
def click(
    demo: Demo,
    *,
    user: str,
    action_id: str,
    value: str | list[str] | None = None,
    channel: str = "",
    ts: str = "",
    view_id: str = "",
    values: dict[str, Any] | None = None,
) -> Json:
    """Press a button, or choose in an element, in a message or in a view; `values` is what its inputs hold."""
    where: Message | View | None
    if view_id:
        view = where = demo.slack.workspace.find_view(view_id=view_id)
        filled = _typed_values(demo, user, view, values or {}) if view else {}
        value = _typed_values(demo, user, view, {action_id: value}).get(action_id) if view else value
    else:
        where, filled = demo.slack.workspace.message(channel, ts), {}
    if where is None:
        raise LookupError("That is not there any more.")
    return _told(demo.slack.click(user, where, action_id, value, filled=filled), "That")


@validate_call(config={"arbitrary_types_allowed": True})
def submit(demo: Demo, *, user: str, values: dict[str, Any]) -> Json:
    """Send the open modal; gives `errors` by block_id where it stays open."""
    views = demo.slack.workspace.views.get(user)
    if not views:
        raise LookupError("That form is not open any more.")
    view = views[-1]
    typed = _typed_values(demo, user, view, values)
    errors = _wrong(demo, view, typed)
    if errors:
        return {"errors": errors}
    answer = demo.slack.submit(user, typed)
    demo.hints.submitted(answer)
    if answer.ok and answer.body.get("response_action") == "errors":
        return {"errors": answer.body["errors"]}
    return _told(answer, "The form")


def _typed_values(demo: Demo, user: str, view: View, values: dict[str, Any]) -> dict[str, Any]:
    """The values of those inputs the view has, an instant in Unix seconds, figured in the person's zone."""
    zone = ZoneInfo(demo.slack.workspace.users[user].zone or "UTC")
    elements = {each["action_id"]: each for block in view.blocks for each in elements_of(block) if "action_id" in each}
    kept = {name: value for name, value in values.items() if name in elements}
    for name, value in kept.items():
        if elements[name]["type"] == "datetimepicker" and isinstance(value, str) and value:
            kept[name] = int(datetime.fromisoformat(value).replace(tzinfo=zone).timestamp())
    return kept


def _wrong(demo: Demo, view: View, values: dict[str, Any]) -> dict[str, str]:
    """What Slack's own form would not let through, by block_id."""
    errors = {}
    users = frozenset(demo.slack.workspace.users)
    for block in view.blocks:
        element = block.get("element") if block["type"] == "input" else None
        if not element:
            continue
        try:
            state = state_values([block], {k: v for k, v in values.items() if k == element["action_id"]}, users)
        except ValueError:
            errors[block["block_id"]] = UNFIT
        else:
            if missing_inputs([block], state):
                errors[block["block_id"]] = REQUIRED
    return errors


@validate_call(config={"arbitrary_types_allowed": True})
def dismiss(demo: Demo, *, user: str) -> Json:
    """Close the open modal."""
    return _told(demo.slack.dismiss(user), "Closing the form")


@validate_call(config={"arbitrary_types_allowed": True})
def react(demo: Demo, *, user: str, channel: str, ts: str, name: str) -> Json:
    """Add a reaction, or take one's own back."""
    message = _message(demo, channel, ts)
    if user in message.reactions.get(name, ()):
        demo.slack.unreact(user, message, name)
    else:
        demo.slack.react(user, message, name)
    return {}


@validate_call(config={"arbitrary_types_allowed": True})
def shortcut(demo: Demo, *, user: str, channel: str, ts: str, callback_id: str) -> Json:
    """Use a message shortcut."""
    return _told(demo.slack.shortcut(user, _message(demo, channel, ts), callback_id), "The shortcut")


def _message(demo: Demo, channel: str, ts: str) -> Message:
    message = demo.slack.workspace.message(channel, ts)
    if message is None:
        raise LookupError("That message is not there any more.")
    return message


@validate_call(config={"arbitrary_types_allowed": True})
def home(demo: Demo, *, user: str) -> Json:
    """Open the app's Home tab."""
    return _told(demo.slack.open_home(user), "The Home tab")


@validate_call(config={"arbitrary_types_allowed": True})
def travel(demo: Demo, *, user: str, by: str) -> Json:  # noqa: ARG001 - every deed has a doer
    """Move the demo's clock forward: by an `hour`, a `day` or a `week`."""
    demo.travel(JOURNEYS[by])
    return {}


@validate_call(config={"arbitrary_types_allowed": True})
def drill(demo: Demo, *, user: str, do: str, case: str = "", speed: Speed | None = None) -> Json:  # noqa: ARG001
    """Begin a drill, or `pause`, `play`, `step`, `pace` or `end` the one that runs."""
    if do == "begin":
        return {"channel": demo.begin_drill(case, speed)}
    running = demo.drill
    if running is None:
        raise LookupError("No drill is running.")
    _CONTROLS[do](running, speed or DRILL_SPEED)
    demo.slack.workspace.touch()
    return {}


_CONTROLS: Final[dict[str, Callable[[Drill, float], None]]] = {
    "pause": lambda running, _speed: running.pause(),
    "play": lambda running, _speed: running.go_on(),
    "step": lambda running, _speed: running.step(),
    "pace": Drill.pace,
    "end": lambda running, _speed: running.end(),
}


@validate_call(config={"arbitrary_types_allowed": True})
def plug(demo: Demo, *, user: str, into: bool) -> Json:  # noqa: ARG001 - every deed has a doer
    """Pull the bot's plug, as a crash would, or put it back in."""
    if into:
        demo.plug.push()
    else:
        demo.plug.pull()
    return {}


ACTIONS: Final[dict[str, Action]] = {
    deed.__name__: deed for deed in (say, click, submit, dismiss, react, shortcut, home, travel, drill, plug)
}
