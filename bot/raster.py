"""Pictures for where no SVG is shown: Slack, mail."""

SCALE = 2.0
"""Pixels for one of the drawing's own, so that letters stay sharp on a phone."""


def png(svg: str) -> bytes:
    """The drawing as a PNG image. Raises ValueError for what is no SVG."""
    import resvg_py  # noqa: PLC0415 - only a picture needs it

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=SCALE))
