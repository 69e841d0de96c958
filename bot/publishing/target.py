"""What every target has: a name, and a way to put an edition where it stands already, or anew."""

from dataclasses import dataclass
from typing import Final, Protocol

from bot.documents.export import FORMATS, ExportRecord, latest_draft
from storage.values import Publication


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetKind:
    """A place by its name; setting `variable`, which is the field `setting`, switches it on.

    What is `shared` is read by more people than the incident's channel holds, so nothing private goes there.
    """

    name: str
    setting: str
    variable: str
    shared: bool


TARGETS: Final[dict[str, TargetKind]] = {
    place.name: place
    for place in (
        TargetKind(name="folder", setting="publish_dir", variable="SCRIBE_PUBLISH_DIR=/srv/postmortems", shared=True),
        TargetKind(name="canvas", setting="canvas", variable="SCRIBE_CANVAS=on", shared=False),
    )
}
"""In the order they are published to: what makes a thing that cannot be asked for again comes last."""


class NotYetError(OSError):
    """It is not published, and trying again may help. The message is what people are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One version as it is published: the whole record, or one told for other readers, `how` in a word.

    The documents are made of the record alone, so the same record gives the same bytes.
    """

    record: ExportRecord
    audience: str | None = None

    @property
    def name(self) -> str:
        """`INC-12`, or `INC-12-public`: no title is in it, so a new title moves nothing."""
        incident = self.record.incident
        return f"{incident.name}-{self.audience}" if self.audience else incident.name

    @property
    def version(self) -> int:
        """The number of the version."""
        return latest_draft(self.record).version

    def document(self, form: str) -> str:
        """The edition in one of the export's formats."""
        return FORMATS[form](self.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Where it stands now: `location` is the target's own name for the place, `where` the words people know it by.

    `anew` says that an earlier place was gone; `changed` is False where it held the very same already.
    """

    location: str
    where: str
    link: str | None = None
    changed: bool = True
    anew: bool = False


class Target(Protocol):
    """A place postmortems are published to."""

    def publish(self, edition: Edition, known: Publication | None) -> Published:
        """Put the edition there; in place of what `known` names, if that is still there, and never beside it.

        Raises NotYetError where trying again may help, UsageError where it will not; either tells people why.
        """
        ...
