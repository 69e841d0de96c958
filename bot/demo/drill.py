"""A drill: a case played live into a channel of its own, with pause, step and take-over."""

import threading
from collections.abc import Callable
from datetime import timedelta

from bot.demo.casefile import Case, TypedCommand
from bot.demo.clock import Travelling
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.schema import Json

MOST_WAIT_S = 6.0
"""Real seconds of silence at most: through a longer one the clock runs faster."""
SECOND = timedelta(seconds=1)

Type = Callable[[TypedCommand], Answer]


class Drill:
    """One case being played; `type_` types a command as the case's person.

    The demo's clock is the case's while it plays, `speed` times as fast as real, and stands still while it pauses.
    """

    def __init__(self, case: Case, clock: Travelling, *, channel: str, speed: float, type_: Type) -> None:
        self.case = case
        self.channel = channel
        self._clock = clock
        self._speed = speed
        self._type = type_
        self._script = case.script
        self._turn = threading.Condition()
        self._thread = threading.Thread(target=self._play, name="drill", daemon=True)
        self._at = 0
        self._steps = 0
        self._playing = True
        self._over = False
        self._refused: str | None = None

    def start(self) -> None:
        """Set the clock to the case's beginning, and play."""
        self._clock.set(self._script[0].at, rate=0)
        self._thread.start()

    def pause(self) -> None:
        """Stand still, the clock too."""
        with self._turn:
            self._playing = False
            if not self._over:
                self._clock.go_on(rate=0)
            self._turn.notify_all()

    def go_on(self) -> None:
        """Play on."""
        with self._turn:
            if not self._over:
                self._playing = True
                self._run_clock()
                self._turn.notify_all()

    def pace(self, speed: float) -> None:
        """Play at another speed, a positive number; what pauses still does."""
        with self._turn:
            self._speed = speed
            if not self._over:
                self._run_clock()
                self._turn.notify_all()

    def step(self) -> None:
        """Type the next command at once, whether it plays or pauses."""
        with self._turn:
            self._steps += 1
            self._turn.notify_all()

    def end(self) -> None:
        """Type nothing more: from here on the incident is in the hands of whoever is at the page."""
        with self._turn:
            if not self._over:
                self._over = True
                self._clock.go_on()
                self._turn.notify_all()

    def join(self) -> None:
        """Wait until nothing more is typed."""
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join(timeout=10)

    @property
    def over(self) -> bool:
        """Whether everything was typed, or somebody has taken over."""
        return self._over

    def shown(self) -> Json:
        """What the page is told of it."""
        with self._turn:
            following = self._following()
            return {
                "id": self.case.id,
                "title": self.case.title,
                "channel": self.channel,
                "at": self._at,
                "total": len(self._script),
                "speed": self._speed,
                "playing": self._playing and not self._over,
                "over": self._over,
                "refused": self._refused,
                "next": following and {"user": following.user, "command": following.command, "text": following.text},
            }

    def _play(self) -> None:
        typed = self._next()
        while typed is not None:
            answer = self._type(typed)
            with self._turn:
                self._refused = _refusal(typed, answer)
                if answer.error:
                    # The bot was not reached: the same command is typed again when it is told to go on.
                    self._playing = False
                else:
                    self._at += 1
            typed = self._next()
        self.end()

    def _next(self) -> TypedCommand | None:
        """The command whose time has come; waits for that. None when there is no more, or it was taken over."""
        with self._turn:
            following = self._following()
            if following is None:
                return None
            self._run_clock()
            while not (self._steps or self._is_due(following)):
                self._turn.wait(self._wait_s(following) if self._playing else None)
            if self._over:
                return None
            self._steps = max(0, self._steps - 1)
            self._clock.set(following.at, rate=0)
            return following

    def _following(self) -> TypedCommand | None:
        """The command to be typed next; None when there is no more, or it was taken over."""
        return None if self._over or self._at == len(self._script) else self._script[self._at]

    def _is_due(self, following: TypedCommand) -> bool:
        """Whether there is something to be done: the command's time has come, or the drill is over."""
        return self._over or (self._playing and self._clock() >= following.at)

    def _run_clock(self) -> None:
        """Let the clock run to the next command while it plays."""
        following = self._following()
        if self._playing and following:
            left_s = (following.at - self._clock()) / SECOND
            self._clock.go_on(rate=max(self._speed, left_s / MOST_WAIT_S), until=following.at)

    def _wait_s(self, following: TypedCommand) -> float:
        return max(0.002, (following.at - self._clock()) / SECOND / max(self._clock.rate, 0.001))


def _refusal(typed: TypedCommand, answer: Answer) -> str | None:
    if answer.error:
        return f"{typed.command}: {answer.error}"
    if answer.body.get("response_type") == "in_channel":
        return None
    return f"{typed.command} {typed.text}: {answer.text.partition(chr(10))[0]}"
