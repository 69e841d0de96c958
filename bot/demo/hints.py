"""The guided first minute: five things to do, each done by doing it."""

from typing import Final

from bot.fakeslack.answers import Answer
from bot.vocabulary import ACTION_ITEM, ADD_TO_TIMELINE, DETECTED, DID, RESOLVED

DETECT, ADD, ACT_AS, RESOLVE, TRAVEL = "detect", "add", "act_as", "resolve", "travel"
STEPS: Final = (DETECT, ADD, ACT_AS, RESOLVE, TRAVEL)

_BY_COMMAND: Final = {DETECTED: DETECT, DID: ACT_AS, RESOLVED: RESOLVE}


class Hints:
    """Which of the five are done. `prefix` stands before every command; `lead` is the person the page begins as."""

    def __init__(self, *, prefix: str, lead: str) -> None:
        self._prefix = prefix
        self._lead = lead
        self._done: set[str] = set()
        self._has_item = False

    @property
    def done(self) -> list[str]:
        """The steps done, in their order."""
        return [step for step in STEPS if step in self._done]

    def typed(self, answer: Answer) -> None:
        """Somebody at the page typed a command, and this came of it."""
        name = answer.delivery.payload["command"].removeprefix(f"/{self._prefix}")
        if not answer.ok or answer.body.get("response_type") != "in_channel":
            return
        step = _BY_COMMAND.get(name)
        if step and (step != ACT_AS or answer.user != self._lead):
            self._done.add(step)
        self._has_item = self._has_item or name == ACTION_ITEM.name

    def submitted(self, answer: Answer) -> None:
        """Somebody at the page sent a form off."""
        if answer.ok and not answer.body and answer.delivery.payload["view"].get("callback_id") == ADD_TO_TIMELINE:
            self._done.add(ADD)

    def travelled(self) -> None:
        """Somebody moved the clock; with an action item recorded, that shows the reminders."""
        if self._has_item:
            self._done.add(TRAVEL)
