"""The film: what a newcomer does on the page, step by step, from the detection to the reminder a week later.

The page's texts for the steps stand in `templates/web/demo/hints.js`. The steps of the STORY make a good document: the
clock moves on between them, as it would in an incident.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.fakeslack.dispatcher import Answer
from bot.handlers.incident import backfill
from bot.vocabulary import (
    ACTION_ITEM,
    CAUSE,
    DETECTED,
    ENTRY_KINDS,
    ESCALATED,
    IMPACT,
    LESSON,
    MITIGATED,
    RESOLVED,
    RULED_OUT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step that is done by recording one command; the demo's clock then moves on by `then`."""

    command: str
    then: timedelta


def _step(command: str, minutes: int) -> Step:
    return Step(command=command, then=timedelta(minutes=minutes))


STORY: Final[Mapping[str, Step]] = {
    "detect": _step(DETECTED, 2),
    "impact": _step(IMPACT, 3),
    "escalate": _step(ESCALATED, 6),
    "dead_end": _step(RULED_OUT, 7),
    "mitigate": _step(MITIGATED, 12),
    "cause": _step(CAUSE, 4),
    "resolve": _step(RESOLVED, 15),
    "lesson": _step(LESSON, 1),
    "item": _step(ACTION_ITEM.name, 0),
}
"""The hints by key, in their order."""
ANSWER, PUBLISH, TRAVEL, DIGEST = "answer", "publish", "travel", "digest"
TOUR: Final = (ANSWER, PUBLISH, TRAVEL, DIGEST)
"""What follows the story, and the drill."""
STEPS: Final = (*STORY, *TOUR)


class Film:
    """Which steps are done. `prefix` stands before every command."""

    def __init__(self, *, prefix: str) -> None:
        self._prefix = prefix
        self._done: set[str] = set()
        self._resolved = self._toured = False

    @property
    def done(self) -> list[str]:
        """The steps done, in their order."""
        return [step for step in STEPS if step in self._done]

    def on_command(self, answer: Answer) -> timedelta:
        """Note a command that was typed at the page, by the bot's answer to it; returns by how much time moves on."""
        name = answer.delivery.payload["command"].removeprefix(f"/{self._prefix}")
        if not answer.ok or answer.body.get("response_type") != "in_channel":
            return timedelta()
        if name in ENTRY_KINDS and (self._toured or STORY.keys() <= self._done):
            self._done.add(ANSWER)
        self._resolved = self._resolved or name == RESOLVED
        key = next((key for key, step in STORY.items() if step.command == name), None)
        if key is None or key in self._done or self._toured:
            return timedelta()
        self._done.add(key)
        return STORY[key].then

    def on_submit(self, answer: Answer) -> None:
        """Note a form that was submitted at the page: after the resolution it answers what the draft asked.

        That of a chronology tells the story itself.
        """
        told = answer.delivery.payload["view"].get("callback_id") in {backfill.FORM, backfill.PREVIEW, backfill.RECORD}
        if self._resolved and answer.ok and not answer.body and not told:
            self._done.add(ANSWER)

    @property
    def toured(self) -> bool:
        """Whether the story is left out, since a drill or a case of one's own has told it."""
        return self._toured

    def on_told(self) -> None:
        """Note that a drill was played to its end, or a case of one's own: what follows is the tour."""
        self._resolved = self._toured = True

    def on_publish(self) -> None:
        """Note that a postmortem is published."""
        self._done.add(PUBLISH)

    def on_travel(self) -> None:
        """Note time travel, which shows reminders after a postmortem has its action items."""
        if self._resolved:
            self._done.add(TRAVEL)

    def on_digest(self) -> None:
        """Note that somebody looked at what Scribe had written to them alone."""
        if TRAVEL in self._done:
            self._done.add(DIGEST)
