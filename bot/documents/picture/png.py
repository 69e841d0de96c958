"""Pictures as PNG, for where SVG is not shown, such as Slack: light, and two pixels for each of their own.

The font comes with a package, so a machine without any draws the same picture. Only for signs which that font does
not have is the machine asked for its fonts.
"""

import os
import sys
from typing import Final

from bot.documents.picture.text_width import has_all

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
