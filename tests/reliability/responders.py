"""Simulated responders who send commands without a pause while the bot is killed and restarted.

A command without an answer is delivered again, as by Slack, until it is answered.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from bot.clock import now
from bot.fakeslack.dispatcher import Answer
from tests.reliability.process import ScribeProcess

ROUND = 60
"""After so many entries the incident is resolved, a draft is asked for, a review is planned, and it is reopened."""
_DAYS = 300


@dataclass(slots=True, kw_only=True)
class Responder:
    """One person in a channel of their own; `typed` in order, each answered. `answers_s` counts commands alone."""

    process: ScribeProcess
    user: str
    channel: str
    typed: list[str] = field(default_factory=list)
    repeats: int = 0
    kept: int = 0
    refused: list[str] = field(default_factory=list)

    def type_until(self, stopped: threading.Event) -> None:
        """Send commands until stopped; the last one is answered."""
        number = 0
        while not stopped.is_set():
            number += 1
            if number % ROUND == 0:
                self._command("/resolved", f"over {number}")
                self._asked("/postmortem", "draft")
                day = now().date() + timedelta(days=2 + number // ROUND % _DAYS)
                self._asked("/postmortem", f"review {day} 10:00")
                self._command("/reopened", f"again {number}")
            elif number % 3 == 0:
                self._mention(f"said {number}")
            else:
                self._command("/note", f"seen {number}")

    def _command(self, command: str, words: str) -> None:
        """Send a command that records these words as an entry."""
        answer = self._asked(command, words)
        self.kept += answer.text.startswith("Kept")
        self.typed.append(words)

    def _asked(self, command: str, words: str) -> Answer:
        answer = self._settled(self.process.slack.command(self.user, self.channel, command, words))
        if answer.body.get("response_type") != "in_channel":
            self.refused.append(f"{command} {words}: {answer.body}")
        return answer

    def _mention(self, words: str) -> None:
        slack = self.process.slack
        message = slack.say(self.user, self.channel, f"@scribe note {words}")
        told = next(a for a in reversed(slack.answers) if a.delivery.payload.get("event", {}).get("ts") == message.ts)
        self._settled(told)
        self.typed.append(words)

    def _settled(self, answer: Answer) -> Answer:
        while answer.error:
            self.repeats += 1
            self.process.up.wait(60)
            answer = self.process.slack.repeat(answer)
        return answer


@contextmanager
def responding(responders: list[Responder]) -> Iterator[None]:
    """All of them send commands during the block."""
    stopped = threading.Event()
    threads = [threading.Thread(target=each.type_until, args=(stopped,)) for each in responders]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
