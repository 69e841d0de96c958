"""Pictures painted in a process of their own.

The painter holds Python's one lock from its first pixel to its last, a quarter of a second: painted here, no answer
to anybody would leave meanwhile.
"""

import subprocess
import sys

from bot.documents.sandbox import environment

LIMIT_S = 20.0
"""Seconds a picture may take; one of 5,000 entries takes two."""


def painted(picture_svg: str) -> bytes:
    """A drawing of ours as PNG. Raises subprocess.SubprocessError where the painter fails or takes too long."""
    run = subprocess.run(
        [sys.executable, "-m", "bot.documents.picture.png"],
        input=picture_svg.encode(),
        stdout=subprocess.PIPE,
        timeout=LIMIT_S,
        env=environment(),
        check=True,
    )
    return run.stdout
