"""Whose turn it is to compute for long.

Python computes in one thread at a time. Drafts, pictures and reports take turns, so that of all that would compute
at once an answer to somebody meets one of them at most, however many workers the outbox has.
"""

import threading

TURN = threading.Lock()
