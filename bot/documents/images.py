"""What of a message's files is kept, and how: images are drawn anew without their metadata, texts are checked.

An image's metadata (EXIF with the place it was taken, comments, colour profiles, previews of what was cut off) stands
beside its pixels; here only these are taken over. What claims to be larger than MOST_PIXELS is not decoded at all.
The only user of Pillow.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS: Final = 40_000_000
"""Pixels of an image: a screen of 8K has 33 million. Decoded, they take four bytes each."""
_QUALITY: Final = 92
IMAGES: Final = ("png", "jpeg", "gif", "webp")
_ALIASES: Final = {"jpg": "jpeg", "jpe": "jpeg", "text": "txt"}


class UnfitError(Exception):
    """The file is not kept; the message is why, in a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What is kept of a file: its bytes, and what they are, a key of MEDIA_TYPES."""

    kind: str
    content: bytes


def kind_of(name: str, filetype: str) -> str:
    """The kind that the file says it is, by Slack's type or else its name's ending; empty where neither tells."""
    told = filetype.casefold() or PurePosixPath(name).suffix.lstrip(".").casefold()
    return _ALIASES.get(told, told)


def fit(content: bytes, kind: str, allowed: Collection[str]) -> Fit:
    """What is kept of a file of that kind. Raises UnfitError for another one, and for what is not what it says."""
    if kind not in allowed or kind not in KINDS:
        raise UnfitError("kind_not_kept")
    return KINDS[kind](content, kind, allowed)


def _image(content: bytes, _kind: str, allowed: Collection[str]) -> Fit:
    """The pixels as PNG, or as JPEG what was one; of several pictures the first, turned as the camera was held."""
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 - few processes ever keep an image

    formats = [each.upper() for each in IMAGES if each in allowed]
    try:
        with Image.open(BytesIO(content), formats=formats) as image:
            if image.width * image.height > MOST_PIXELS:
                raise UnfitError("too_many_pixels")
            was_jpeg = image.format == "JPEG"
            image.load()
            bare = _pixels(ImageOps.exif_transpose(image), opaque=was_jpeg)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnfitError("too_many_pixels") from None
    except UnidentifiedImageError:
        raise UnfitError("no_image") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError):
        # What the decoders raise for an image that is cut off or broken.
        raise UnfitError("broken_image") from None
    written = BytesIO()
    if was_jpeg:
        bare.save(written, "JPEG", quality=_QUALITY, optimize=True)
    else:
        bare.save(written, "PNG", optimize=True)
    return Fit(kind="jpeg" if was_jpeg else "png", content=written.getvalue())


def _pixels(image: "Image", *, opaque: bool) -> "Image":
    """A new image of the same pixels, and of nothing else."""
    from PIL import Image  # noqa: PLC0415 - as above

    mode = "RGB" if opaque else "RGBA"
    converted = image.convert(mode)
    return Image.frombytes(mode, converted.size, converted.tobytes())


def _text(content: bytes, kind: str, _allowed: Collection[str]) -> Fit:
    try:
        words = content.decode()
    except UnicodeDecodeError:
        raise UnfitError("no_text") from None
    if "\0" in words:
        raise UnfitError("no_text")
    return Fit(kind=kind, content=content)


def _pdf(content: bytes, kind: str, _allowed: Collection[str]) -> Fit:
    if not content.startswith(b"%PDF-"):
        raise UnfitError("no_pdf")
    return Fit(kind=kind, content=content)


KINDS: Final[Mapping[str, Callable[[bytes, str, Collection[str]], Fit]]] = {
    **dict.fromkeys(IMAGES, _image),
    **dict.fromkeys(("txt", "log", "csv", "json", "md"), _text),
    "pdf": _pdf,
}
"""How a file of each kind is looked at before it is kept. No kind that a browser would run is here."""
MEDIA_TYPES: Final[Mapping[str, str]] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    **dict.fromkeys(("txt", "log", "csv", "md"), "text/plain;charset=utf-8"),
    "json": "application/json",
    "pdf": "application/pdf",
}
"""What kept bytes are, by their kind."""
SHOWN: Final = frozenset({"png", "jpeg"})
"""The kinds that are shown as pictures."""
