"""The error whose message is the reply."""


class UsageError(Exception):
    """Something a person typed cannot be done.

    The message is the answer they read: what is wrong, what to do, an example. It is plain text; whoever
    shows it escapes it for the surface and repeats the words typed.
    """
