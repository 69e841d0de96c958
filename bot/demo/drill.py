"""A drill: the commands of a case, typed live into its own channel, with pause, step, speed and take-over."""

import threading
from collections.abc import Callable
from datetime import timedelta

from bot.demo.casefile import Case, TypedCommand
from bot.demo.clock import AdjustableClock
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.schema import Json

MAX_WAIT_S = 6.0
"""Real seconds between two commands at most; across a longer gap the clock runs faster than the drill's speed."""
MIN_WAIT_S = 0.002
SECOND = timedelta(seconds=1)


class Drill:
    """Plays one case in a thread; `send` types a command as the case's person.

    The demo's clock shows the case's time while the drill plays, runs `speed` times as fast as real time, and stands
    still while the drill is paused. Every public method is thread-safe.
    """

    def __init__(
        self,
        case: Case,
        clock: AdjustableClock,
        *,
        channel: str,
        speed: float,
        send: Callable[[TypedCommand], Answer],
    ) -> None:
        self.case = case
        self.channel = channel
        self._clock = clock
        self._speed = speed
        self._send = send
        self._script = case.script
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._play, name="drill", daemon=True)
        self._position = 0
        self._steps = 0
        self._playing = True
        self._over = False
        self._refusal: str | None = None

    def start(self) -> None:
        """Set the clock to the first command's time, and play."""
        self._clock.set(self._script[0].at, rate=0)
        self._thread.start()

    def pause(self) -> None:
        """Stop playing, and stop the clock."""
        with self._changed:
            self._playing = False
            if not self._over:
                self._clock.run(rate=0)
            self._changed.notify_all()

    def resume(self) -> None:
        """Play on after a pause."""
        with self._changed:
            if not self._over:
                self._playing = True
                self._run_clock()
                self._changed.notify_all()

    def set_speed(self, speed: float) -> None:
        """Play at another speed, a positive number. A paused drill stays paused."""
        with self._changed:
            self._speed = speed
            if not self._over:
                self._run_clock()
                self._changed.notify_all()

    def step(self) -> None:
        """Type the next command at once, playing or paused."""
        with self._changed:
            self._steps += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Type nothing more and let the clock run at the real rate: the person at the page continues the incident."""
        with self._changed:
            if not self._over:
                self._over = True
                self._clock.run()
                self._changed.notify_all()

    def join(self) -> None:
        """Wait until the drill's thread has ended, 10 seconds at most."""
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join(timeout=10)

    @property
    def over(self) -> bool:
        """Whether every command was typed, or the drill was ended."""
        return self._over

    @property
    def played(self) -> bool:
        """Whether every command was typed."""
        return self._position == len(self._script)

    def status(self) -> Json:
        """The drill's progress as the page shows it."""
        with self._changed:
            command = self._next_command()
            return {
                "id": self.case.id,
                "title": self.case.title,
                "channel": self.channel,
                "position": self._position,
                "total": len(self._script),
                "speed": self._speed,
                "playing": self._playing and not self._over,
                "over": self._over,
                "refusal": self._refusal,
                "next": command and {"user": command.user, "command": command.command, "text": command.text},
            }

    def _play(self) -> None:
        while (command := self._wait_for_command()) is not None:
            answer = self._send(command)
            with self._changed:
                self._refusal = _refusal(command, answer)
                if answer.error:
                    # The bot was not reached: pause, so that `resume` types the same command again.
                    self._playing = False
                else:
                    self._position += 1
        self.end()

    def _wait_for_command(self) -> TypedCommand | None:
        """Block until the next command is due or stepped to; None when the drill is over."""
        with self._changed:
            command = self._next_command()
            if command is None:
                return None
            self._run_clock()
            while not (self._over or self._steps or (self._playing and self._clock() >= command.at)):
                left_s = (command.at - self._clock()) / SECOND / max(self._clock.rate, 0.001)
                self._changed.wait(max(MIN_WAIT_S, left_s) if self._playing else None)
            if self._over:
                return None
            self._steps = max(0, self._steps - 1)
            self._clock.set(command.at, rate=0)
            return command

    def _next_command(self) -> TypedCommand | None:
        return None if self._over or self._position == len(self._script) else self._script[self._position]

    def _run_clock(self) -> None:
        """While the drill plays, run the clock until the next command's time, within MAX_WAIT_S real seconds."""
        command = self._next_command()
        if self._playing and command:
            left_s = (command.at - self._clock()) / SECOND
            self._clock.run(rate=max(self._speed, left_s / MAX_WAIT_S), until=command.at)


def _refusal(command: TypedCommand, answer: Answer) -> str | None:
    """Why the command failed, in one line; None when Scribe took it, which it confirms in the channel."""
    if answer.error:
        return f"{command.command}: {answer.error}"
    if answer.body.get("response_type") == "in_channel":
        return None
    return f"{command.command} {command.text}: {answer.text.partition(chr(10))[0]}"
