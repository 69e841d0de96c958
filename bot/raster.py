"""Pictures as PNG, for where SVG is not shown, such as Slack: light, and two pixels for each of their own.

The font comes with a package, so a machine without any draws the same picture. Only for signs which that font does
not have is the machine asked for its fonts.
"""

from typing import Final

from bot.picture.letters import has_all

ZOOM: Final = 2
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
