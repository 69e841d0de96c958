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


DAMAGED = "Keep a copy of it, then: scribe restore BACKUP --force"
"""What to do about a database file that is damaged."""
GONE = "Put it back, or a copy: scribe restore BACKUP. To begin with an empty one: scribe run --new"
"""What to do where there was a database file."""
