"""The error whose message is the reply."""


class UsageError(Exception):
    """A request that cannot be done as it was typed.

    The message is the answer to the user: what is wrong, what to do, an example. It is plain text; the code that shows
    it escapes it for the surface and repeats the words typed.
    """
