"""Conversations with the bot, word for word, kept as files: a sentence that vanishes is seen in the difference.

A line that begins with `>` is what somebody does, see `_DEEDS`; the lines below say all that the bot answers and sends.
After a change that is meant:

    python -m tests.slack.transcripts --write
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bot.clock import SetClock
from bot.fakeslack.objects import Call
from bot.handlers.request import ENTRY_MENU
from tests.support.workplace import Workplace, at

FOLDER = Path(__file__).parent
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.txt")))
_SAID = {"text", "title", "submit", "close", "hint", "label", "placeholder", "markdown", "initial_comment"}
"""Keys of what is read, in messages, modals and the Home tab."""
_BASE_URL = re.compile(r"http://127\.0\.0\.1:\d+")


def path(name: str) -> Path:
    """The file of a conversation."""
    return FOLDER / f"{name}.txt"


def spoken(office: Workplace, clock: SetClock, transcript: str) -> str:
    """The transcript as it is now: its deeds done one after another, with the answers of now."""
    lines: list[str] = []
    for line in transcript.splitlines():
        if line.startswith(">"):
            lines += ["", line, *_outcome(office, clock, line[1:].strip())]
        elif line.startswith("#"):
            lines += [*([""] if lines else []), line]
    return "\n".join(lines) + "\n"


def _outcome(office: Workplace, clock: SetClock, deed: str) -> Iterator[str]:
    before = len(office.slack.calls)
    for pattern, do in _DEEDS:
        if found := pattern.fullmatch(deed):
            yield from _shown(office, do(office, clock, *found.groups()))
            break
    else:
        raise AssertionError(f"unknown: {deed}")
    office.deliver()
    for call in office.slack.calls[before:]:
        yield from _sent(office, call)


def _typed(office: Workplace, _clock: SetClock, who: str, where: str | None, words: str) -> list[str]:
    channel = None if where is None else _channel(office, where)
    before = len(office.slack.calls)
    answer = office.ask(words, user=office.people[who], channel=channel)
    if not answer.body:
        # The form is opened by another thread.
        office.slack.wait_for(lambda: any(call.method == "views.open" for call in office.slack.calls[before:]), 60)
    kind = "to all" if answer.body.get("response_type") == "in_channel" else "to one"
    return [f"({kind})", *_strings(answer.body)] if answer.body else []


def _said(office: Workplace, _clock: SetClock, who: str, words: str) -> list[str]:
    office.slack.say(office.people[who], office.channel, words)
    return []


def _clicked(office: Workplace, _clock: SetClock, who: str, label: str) -> list[str]:
    answer = office.answers[-1]
    assert answer.message is not None
    actions = [
        each["action_id"] for each in _elements(answer.message.blocks) if label in _strings(each["text"], "text")
    ]
    assert actions, (label, answer.text)
    return _strings(office.slack.click(office.people[who], answer, actions[0]).body)


def _elements(value: Any) -> Iterator[dict[str, Any]]:
    """All that can be clicked in the blocks."""
    if isinstance(value, dict) and "action_id" in value and "text" in value:
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _elements(each)


def _submitted(office: Workplace, _clock: SetClock, who: str, words: str | None) -> list[str]:
    modal = office.slack.modal(office.people[who])
    assert modal is not None
    (field,) = [each["element"]["action_id"] for each in modal.blocks if each["type"] == "input"][:1] or [""]
    return _strings(office.slack.submit(office.people[who], {field: words} if words else {}).body)


def _looked_home(office: Workplace, _clock: SetClock, who: str) -> list[str]:
    office.slack.open_home(office.people[who])
    return []


def _waited(office: Workplace, clock: SetClock, until: str) -> list[str]:
    clock.set(at(until))
    office.bot.remind()
    return []


_DEEDS: tuple[tuple[re.Pattern[str], Callable[..., list[str]]], ...] = (
    (re.compile(r"(\w+)(?: in #(\w+))?: (/.*)"), _typed),
    (re.compile(r"(\w+) says: (.*)"), _said),
    (re.compile(r"(\w+) clicks (.+)"), _clicked),
    (re.compile(r"(\w+) submits(?: (.+))?"), _submitted),
    (re.compile(r"(\w+) looks at the Home tab"), _looked_home),
    (re.compile(r"it is (\S+)"), _waited),
)


def _channel(office: Workplace, name: str) -> str:
    for each in office.slack.workspace.channels.values():
        if each.name == name:
            return each.id
    return office.slack.add_channel(name, private=name == "secret", bot_is_member=name != "outside")


def _sent(office: Workplace, call: Call) -> Iterator[str]:
    words = _strings(call.args)
    if words and not call.method.startswith(("auth.", "users.", "conversations.", "team.")):
        place = call.args.get("channel") or call.args.get("channel_id") or call.args.get("user_id") or ""
        yield from _shown(office, [f"({call.method} {place})".replace(" )", ")"), *words])


def _strings(value: Any, key: str = "") -> list[str]:
    if isinstance(value, dict):
        return [word for name, each in value.items() for word in _strings(each, name)]
    if isinstance(value, list):
        if value and isinstance(value[0], dict) and value[0].get("accessory", {}).get("action_id") == ENTRY_MENU:
            # A receipt's blocks have the words of its text in another order.
            value = [each for each in value if each["type"] == "actions"]
        return [word for each in value for word in _strings(each, key)]
    return [value] if key in _SAID and isinstance(value, str) else []


def _shown(office: Workplace, words: list[str]) -> Iterator[str]:
    """Each text once and indented, with names in place of ids."""
    names = {user: name for name, user in office.people.items()}
    names |= {each.id: each.name for each in office.slack.workspace.channels.values() if each.name}
    for text in dict.fromkeys(words):
        for line in _BASE_URL.sub("https://slack.test", text).splitlines():
            for identity, name in names.items():
                line = line.replace(identity, name)  # noqa: PLW2901 - one after another
            yield f"  {line}".rstrip()
