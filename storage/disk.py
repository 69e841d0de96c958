"""Where files lie, or would."""

from pathlib import Path


def nearest_folder(file: Path) -> Path:
    """What there is of the way to the file: its folder, or the closest one above it; a file in the way too."""
    return next(place for place in file.absolute().parents if place.exists())
