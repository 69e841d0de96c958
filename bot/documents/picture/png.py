"""Pictures as PNG, for where SVG is not shown, such as Slack: light, and two pixels for each of their own.

The renderer holds the interpreter lock from the first pixel to the last, a quarter of a second, so it runs in a process
of its own. The font comes with a package, so a machine without any draws the same picture. Only for characters that
this font does not have are the machine's fonts used.
"""

import os
import subprocess
import sys
from typing import Final

from bot.documents.picture.text_width import has_all
from bot.documents.sandbox import environment

LIMIT_S = 20.0
"""Seconds a picture may take; one of 5,000 entries takes two."""


def svg_to_png(picture_svg: str) -> bytes:
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


ZOOM: Final = 2
_YIELD: Final = 10
_FAMILY: Final = "Arimo"


def png(picture_svg: str) -> bytes:
    """A drawing of ours as PNG."""
    import resvg_py  # noqa: PLC0415 - only a picture for Slack needs these two
    from fontpkg import path  # noqa: PLC0415

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=picture_svg,
            zoom=ZOOM,
            font_files=[str(path(_FAMILY))],
            font_family=_FAMILY,
            sans_serif_family=_FAMILY,
            skip_system_fonts=has_all(picture_svg),
        )
    )


def main() -> None:
    """Paint what comes on standard input, letting whoever answers people go first."""
    if hasattr(os, "nice"):
        os.nice(_YIELD)
    try:
        content = png(sys.stdin.buffer.read().decode())
        with open(1, "wb", closefd=False) as out:
            out.write(content)
    except (ValueError, OSError) as error:
        # Whoever asked was killed, in the middle of asking or before the answer. A drawing holds people's words,
        # which are not for a log.
        sys.exit(f"not painted: {type(error).__name__}")


if __name__ == "__main__":
    main()
