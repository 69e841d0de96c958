"""What is counted while the bot works. This one counts nothing; `bot.telemetry.metrics` has the one that does."""


class Tally:
    """Told of what happened; every method returns at once and never raises."""

    def acked(self, transport: str, seconds: float) -> None:
        """A delivery of Slack's was answered, so many seconds after it was received."""

    def recorded(self, kind: str) -> None:
        """A timeline entry was committed."""

    def drafted(self) -> None:
        """A version of a postmortem was kept."""

    def reminded(self, people: int) -> None:
        """So many people were sent a reminder."""

    def slack_failed(self, method: str, error: str) -> None:
        """A call of the Web API's method did not succeed; `error` is Slack's word for it, or the failure's name."""


SILENT = Tally()
