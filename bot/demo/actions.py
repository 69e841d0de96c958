"""What a person does on the page, by name; each reaches the bot as the request or event that Slack would send."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import Base64Bytes, Field, validate_call

from bot.demo.clock import TRAVEL_STEPS
from bot.demo.demo import DRILL_SPEED, Demo
from bot.demo.drill import Drill
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.elements import missing_inputs, state_values
from bot.fakeslack.objects import Message, View
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import elements_of
from bot.handlers.sources import alerts

REQUIRED: Final = "Please fill in this field."
INVALID: Final = "That does not fit in this field."

Action = Callable[..., Json]
FileName = Annotated[str, Field(min_length=1, max_length=200)]
Speed = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _result(answer: Answer | None, subject: str) -> Json:
    """The error that Slack would show for the bot's answer; empty when there is none."""
    if answer is None or answer.ok:
        return {}
    return {"problem": f"{subject} failed with the error “{answer.error}”", "details": list(answer.details)}


@validate_call(config={"arbitrary_types_allowed": True})
def say(demo: Demo, *, user: str, channel: str, text: str, thread_ts: str | None = None) -> Json:
    """Post a message, or send a command when the text begins with a slash."""
    if not text.strip():
        return {}
    if not text.startswith("/"):
        demo.slack.say(user, channel, text, thread_ts=thread_ts)
        return {}
    command, _, words = text.partition(" ")
    if "\n" in command:
        # A command's words may begin on its second line.
        command, _, words = text.partition("\n")
    if command not in demo.commands:
        return {"problem": f"{command[:40]} is not a valid command."}
    if thread_ts:
        instead = f"@scribe {command[1:]} {words}".strip()
        return {"problem": f"{command} is not supported in threads. Sorry! Say it to the bot instead: {instead[:300]}"}
    answer = demo.slack.command(user, channel, command, words)
    demo.move_on(demo.film.on_command(answer))
    return _result(answer, command)


@validate_call(config={"arbitrary_types_allowed": True})
def share(
    demo: Demo, *, user: str, channel: str, name: FileName, content: Base64Bytes, thread_ts: str | None = None
) -> Json:
    """Post a file, such as a screenshot from the clipboard."""
    demo.slack.share(user, channel, name, content, thread_ts=thread_ts)
    return {}


@validate_call(config={"arbitrary_types_allowed": True})
def pin(demo: Demo, *, user: str, channel: str, ts: str) -> Json:
    """Pin a message to its channel, or take its pin away, whoever pinned it."""
    message = _find_message(demo, channel, ts)
    pinned = (channel, ts) in demo.slack.workspace.pins
    (demo.slack.unpin if pinned else demo.slack.pin)(user, message)
    return {}


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
    """Use an interactive element of a message or of a view; `values` are those of the view's inputs."""
    surface: Message | View | None
    filled: dict[str, Any] = {}
    if view_id:
        surface = view = demo.slack.workspace.find_view(view_id=view_id)
        if view:
            filled = _parse_values(demo, user, view, values or {})
    else:
        surface = demo.slack.workspace.message(channel, ts)
    if surface is None:
        raise LookupError("That is not there any more.")
    value = _parse_values(demo, user, surface, {action_id: value}).get(action_id)
    answer = demo.slack.click(user, surface, action_id, value, filled=filled)
    if action_id == alerts.DECLARE:
        demo.move_on(demo.film.on_declared(answer))
    return _result(answer, "That")


@validate_call(config={"arbitrary_types_allowed": True})
def submit(demo: Demo, *, user: str, values: dict[str, Any]) -> Json:
    """Submit the open modal; the result has `errors` by block_id when it stays open."""
    views = demo.slack.workspace.views.get(user)
    if not views:
        raise LookupError("That form is not open any more.")
    view = views[-1]
    parsed = _parse_values(demo, user, view, values)
    errors = _field_errors(demo, view, parsed)
    if errors:
        return {"errors": errors}
    answer = demo.slack.submit(user, parsed)
    demo.film.on_submit(answer)
    if answer.ok and answer.body.get("response_action") == "errors":
        return {"errors": answer.body["errors"]}
    return _result(answer, "The form")


def _parse_values(demo: Demo, user: str, surface: Message | View, values: dict[str, Any]) -> dict[str, Any]:
    """The values of the surface's own elements; a local time becomes Unix seconds, read in the person's zone."""
    zone = ZoneInfo(demo.slack.workspace.users[user].zone or "UTC")
    elements = {
        each["action_id"]: each for block in surface.blocks for each in elements_of(block) if "action_id" in each
    }
    parsed = {name: value for name, value in values.items() if name in elements}
    for name, value in parsed.items():
        if elements[name]["type"] == "datetimepicker" and isinstance(value, str) and value:
            parsed[name] = int(datetime.fromisoformat(value).replace(tzinfo=zone).timestamp())
    return parsed


def _field_errors(demo: Demo, view: View, values: dict[str, Any]) -> dict[str, str]:
    """The errors that Slack's client shows before it sends anything to the bot, by block_id."""
    errors = {}
    users = frozenset(demo.slack.workspace.users)
    for block in view.blocks:
        element = block.get("element") if block["type"] == "input" else None
        if not element:
            continue
        own_value = {name: value for name, value in values.items() if name == element["action_id"]}
        try:
            state = state_values([block], own_value, users)
        except ValueError:
            errors[block["block_id"]] = INVALID
        else:
            if missing_inputs([block], state):
                errors[block["block_id"]] = REQUIRED
    return errors


@validate_call(config={"arbitrary_types_allowed": True})
def dismiss(demo: Demo, *, user: str) -> Json:
    """Close the open modal."""
    return _result(demo.slack.dismiss(user), "Closing the form")


@validate_call(config={"arbitrary_types_allowed": True})
def react(demo: Demo, *, user: str, channel: str, ts: str, name: str) -> Json:
    """Add a reaction, or remove it when the person has given it before."""
    message = _find_message(demo, channel, ts)
    if user in message.reactions.get(name, ()):
        demo.slack.unreact(user, message, name)
    else:
        demo.slack.react(user, message, name)
    return {}


@validate_call(config={"arbitrary_types_allowed": True})
def shortcut(demo: Demo, *, user: str, channel: str, ts: str, callback_id: str) -> Json:
    """Use a message shortcut."""
    return _result(demo.slack.shortcut(user, _find_message(demo, channel, ts), callback_id), "The shortcut")


def _find_message(demo: Demo, channel: str, ts: str) -> Message:
    message = demo.slack.workspace.message(channel, ts)
    if message is None:
        raise LookupError("That message is not there any more.")
    return message


@validate_call(config={"arbitrary_types_allowed": True})
def home(demo: Demo, *, user: str) -> Json:
    """Open the app's Home tab."""
    return _result(demo.slack.open_home(user), "The Home tab")


@validate_call(config={"arbitrary_types_allowed": True})
def travel(demo: Demo, *, user: str, by: str) -> Json:  # noqa: ARG001 - the page sends the user with every action
    """Move the demo's clock forward: by an `hour`, a `day` or a `week`."""
    demo.travel(TRAVEL_STEPS[by])
    return {}


@validate_call(config={"arbitrary_types_allowed": True})
def drill(demo: Demo, *, user: str, do: str, case: str = "", speed: Speed | None = None) -> Json:  # noqa: ARG001 - as above
    """`start` a drill, or `pause`, `resume`, `step`, `set_speed` or `end` the running one."""
    if do == "start":
        return {"channel": demo.start_drill(case, speed)}
    running = demo.drill
    if running is None:
        raise LookupError("No drill is running.")
    _CONTROLS[do](running, speed or DRILL_SPEED)
    demo.slack.workspace.touch()
    return {}


_CONTROLS: Final[dict[str, Callable[[Drill, float], None]]] = {
    "pause": lambda running, _speed: running.pause(),
    "resume": lambda running, _speed: running.resume(),
    "step": lambda running, _speed: running.step(),
    "set_speed": Drill.set_speed,
    "end": lambda running, _speed: running.end(),
}


@validate_call(config={"arbitrary_types_allowed": True})
def own_case(demo: Demo, *, user: str, title: str, lines: str) -> Json:
    """Play a chronology that was pasted: an incident in a channel of its own, and the form with the lines."""
    if not title.strip() or not lines.strip():
        return {"problem": "A title and at least one line, please."}
    channel, (opened, backfilled) = demo.own_case(user, title, lines)
    refusal = "" if demo.slack.modal(user) else backfilled.text
    problem = _result(opened, "Declaring it") or _result(backfilled, "The chronology")
    return {"channel": channel, **problem} | ({"problem": refusal} if refusal else {})


def _deploy(demo: Demo) -> Json:
    """What a pipeline posts once it is done; the source `change`."""
    number = next(demo.releases)
    return {
        "title": f"release {number}",
        "service": SERVICE,
        "at": (demo.clock() - DEPLOYED_BEFORE).isoformat(),
        "link": f"https://ci.example.com/{SERVICE}/releases/{number}",
    }


def _alert(demo: Demo) -> Json:
    """What Alertmanager posts, some time after the condition of the alert began to hold."""
    alert = {
        "status": "firing",
        "labels": {"alertname": "CheckoutErrorRate", "service": SERVICE, "severity": "page"},
        "annotations": {"summary": "7% of checkouts fail with error 500"},
        "startsAt": (demo.clock() - FIRED_BEFORE).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "https://prometheus.example.com/graph?g0.expr=checkout_error_rate",
        "fingerprint": "6f3b1a52c8d94e07",
    }
    return {"version": "4", "status": "firing", "receiver": "scribe", "alerts": [alert]}


SERVICE: Final = "checkout"
DEPLOYED_BEFORE, FIRED_BEFORE = timedelta(minutes=6), timedelta(minutes=3)
"""How long before it is told something happened: told one after the other, in any order, the deploy came first."""
_TOLD: Final[dict[str, tuple[str, Callable[[Demo], Json]]]] = {
    "deploy": ("change", _deploy),
    "alert": ("alertmanager", _alert),
}
"""What machines tell on a person's behalf: the kind of source, and what it posts."""


@validate_call(config={"arbitrary_types_allowed": True})
def tell(demo: Demo, *, user: str, channel: str, what: str) -> Json:  # noqa: ARG001 - the page sends the user with every action
    """Have a machine tell the channel of a `deploy` or an `alert`, at the real endpoint; `answer` is the bot's."""
    if channel not in demo.slack.workspace.channels:
        raise KeyError(channel)
    source, payload = _TOLD[what]
    return {"answer": demo.bot_process.tell(source, channel, payload(demo))}


@validate_call(config={"arbitrary_types_allowed": True})
def bot(demo: Demo, *, user: str, running: bool) -> Json:  # noqa: ARG001 - as above
    """Start the bot, or stop it as a crash would."""
    if running:
        demo.bot_process.start()
    else:
        demo.bot_process.stop()
    return {}


ACTIONS: Final[dict[str, Action]] = {
    action.__name__: action
    for action in (say, share, pin, click, submit, dismiss, react, shortcut, home, travel, drill, own_case, tell, bot)
}
