"""The error whose message is the reply."""

from collections.abc import Mapping


class UsageError(Exception):
    """A request that cannot be done as it was typed.

    The message is the answer to the user: what is wrong, what to do, an example. It is plain text; the code that shows
    it escapes it for the surface and repeats the words typed.
    """


class FieldsError(UsageError):
    """A form that cannot be saved as it is filled in: `problems` says what is wrong, by the name of the field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(next(iter(problems.values())))
        self.problems = dict(problems)


class ExampleError(UsageError):
    """A UsageError with an `example` of what is typed after the command, in place of what was.

    Who knows the command completes it, so that what stands after "Try:" can be pasted; in the field of a form the
    example is right as it is.
    """

    def __init__(self, problem: str, example: str) -> None:
        super().__init__(f"{problem} Try: {example}")
        self.problem, self.example = problem, example


DAMAGED = "Keep a copy of it, then: scribe restore BACKUP --force"
"""What to do about a database file that is damaged."""
GONE = "Put it back, or a copy: scribe restore BACKUP. To begin with an empty one: scribe run --new"
"""What to do where there was a database file."""
