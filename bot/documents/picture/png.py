"""Converts pictures to PNG for Slack, which does not show SVG: in light colours, at twice the size.

The renderer holds the interpreter lock for the whole conversion, about a quarter of a second, so it runs in a child
process. The font is part of a package, so the picture is the same on a machine without fonts. The machine's fonts are
used only for characters that this font does not have.
"""

import os
import subprocess
import sys
from functools import lru_cache
from typing import Final

from bot.documents.picture.text_width import has_all

LIMIT_S = 20.0
"""The most seconds for one picture; one of 5,000 entries takes two."""
ZOOM: Final = 2
_NICENESS: Final = 10
_KEPT: Final = 8
_FAMILY: Final = "Arimo"


@lru_cache(maxsize=_KEPT)
def svg_to_png(picture_svg: str) -> bytes:
    """Convert one of Scribe's pictures in a child process. Raises SubprocessError if it fails or takes too long.

    The last few are kept in memory: a job that Slack refuses for now converts the same picture at each attempt.
    """
    # The child process, which imports this module too, has no use for it.
    from bot.documents.sandbox import environment  # noqa: PLC0415 - see above

    run = subprocess.run(
        [sys.executable, "-m", "bot.documents.picture.png"],
        input=picture_svg.encode(),
        stdout=subprocess.PIPE,
        timeout=LIMIT_S,
        env=environment(),
        check=True,
    )
    return run.stdout


def png(picture_svg: str) -> bytes:
    """Convert one of Scribe's pictures in this process."""
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


_ONE = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="24"><text y="18" font-size="16">{}</text></svg>'
_UNASSIGNED = "\U0010fff0"
"""A character that no font has."""


def undrawable(characters: str) -> str:
    """Those of the letters and signs that no font on this machine has: they look like one that no font can have."""
    box = png(_ONE.format(_UNASSIGNED))
    return "".join(each for each in characters if png(_ONE.format(each)) == box)


def main() -> None:
    """The child process: convert the picture on standard input, at a lower priority than the bot."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    try:
        content = png(sys.stdin.buffer.read().decode())
        with open(1, "wb", closefd=False) as out:
            out.write(content)
    except (ValueError, OSError) as error:
        # The parent was killed while it wrote the picture or before it read the answer. The message does not quote
        # the picture, since people's words must not reach a log.
        sys.exit(f"not converted: {type(error).__name__}")


if __name__ == "__main__":
    main()
