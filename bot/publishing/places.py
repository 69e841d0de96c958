"""The table of places a postmortem may be published to. A new target has a row here and a file of its own."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place by its name; setting `variable`, which is the field `setting`, switches it on.

    What is `shared` is read by more people than the incident's channel holds, so nothing private goes there.
    """

    name: str
    setting: str
    variable: str
    shared: bool


PLACES: Final[dict[str, Place]] = {
    place.name: place
    for place in (
        Place(name="folder", setting="publish_dir", variable="SCRIBE_PUBLISH_DIR=/srv/postmortems", shared=True),
        Place(name="canvas", setting="canvas", variable="SCRIBE_CANVAS=on", shared=False),
    )
}
"""In the order they are published to: what makes a thing that cannot be asked for again comes last."""
