"""People who type without a pause, and type on however often the bot dies; what they typed is known for sure.

What got no answer is delivered again, as Slack does and as people do, until it has one.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from bot.clock import now
from bot.fakeslack.dispatcher import Answer
from tests.reliability.victim import Victim

ROUND = 60
"""So many entries, and then the incident is resolved, which drafts, its review planned, and it is reopened."""
_DAYS = 300


@dataclass(slots=True, kw_only=True)
class Typist:
    """One person in a channel of their own; `typed` in order, each answered. `answers_s` counts commands alone."""

    victim: Victim
    user: str
    channel: str
    typed: list[str] = field(default_factory=list)
    again: int = 0
    kept: int = 0
    refused: list[str] = field(default_factory=list)

    def type_until(self, stopped: threading.Event) -> None:
        """Type until told to stop; the last thing typed is answered."""
        number = 0
        while not stopped.is_set():
            number += 1
            if number % ROUND == 0:
                self._command("/resolved", f"over {number}")
                day = now().date() + timedelta(days=2 + number // ROUND % _DAYS)
                self._asked("/postmortem", f"review {day} 10:00")
                self._command("/reopened", f"again {number}")
            elif number % 3 == 0:
                self._mention(f"said {number}")
            else:
                self._command("/note", f"seen {number}")

    def _command(self, command: str, words: str) -> None:
        """Type what makes an entry of these words."""
        answer = self._asked(command, words)
        self.kept += answer.text.startswith("Kept")
        self.typed.append(words)

    def _asked(self, command: str, words: str) -> Answer:
        answer = self._settled(self.victim.slack.command(self.user, self.channel, command, words))
        if answer.body.get("response_type") != "in_channel":
            self.refused.append(f"{command} {words}: {answer.body}")
        return answer

    def _mention(self, words: str) -> None:
        slack = self.victim.slack
        message = slack.say(self.user, self.channel, f"@scribe note {words}")
        told = next(a for a in reversed(slack.answers) if a.delivery.payload.get("event", {}).get("ts") == message.ts)
        self._settled(told)
        self.typed.append(words)

    def _settled(self, answer: Answer) -> Answer:
        while answer.error:
            self.again += 1
            self.victim.up.wait(60)
            answer = self.victim.slack.repeat(answer)
        return answer


@contextmanager
def typing(typists: list[Typist]) -> Iterator[None]:
    """All of them type during the block."""
    stopped = threading.Event()
    threads = [threading.Thread(target=each.type_until, args=(stopped,)) for each in typists]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
