"""The protocol of a publishing target, and the table of targets."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from bot.documents.export import BINARY, FORMATS, ExportRecord, file_bytes, latest_draft, with_picture
from storage.values import EntryFile, Publication


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetKind:
    """A kind of target. The environment variable in `variable`, read into the field `setting`, switches it on.

    A `shared` target has more readers than the incident's channel, so nothing private is published to it.
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
"""The targets in the order of publishing. The canvas is last, because creating one is not idempotent."""


class NotYetError(OSError):
    """Publishing failed, and may succeed later. The message is shown to people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One version to be published: the whole record, or its rendering for an `audience`.

    The documents depend on the record alone, so the same record gives the same bytes. `still_open` counts the questions
    that the version leaves open and the edition leaves out.
    """

    record: ExportRecord
    audience: str | None = None
    still_open: int = 0

    @property
    def name(self) -> str:
        """`INC-12`, or `INC-12-public`. It does not contain the title, so that a new title changes no path."""
        incident = self.record.incident
        return f"{incident.name}-{self.audience}" if self.audience else incident.name

    @property
    def version(self) -> int:
        """The version's number."""
        return latest_draft(self.record).version

    @property
    def shown(self) -> ExportRecord:
        """The record as it is once it is published."""
        return replace(self.record, published=self.version)

    def document(self, form: str) -> str:
        """The edition in one of the export's formats."""
        return FORMATS[form](self.shown)

    def png(self) -> bytes:
        """The picture of its timeline."""
        return BINARY["png"](self.shown)

    def illustrated(self, picture: str | None, address: Callable[[EntryFile], str | None]) -> str:
        """The edition in Markdown, with the picture of the timeline that has this address, if it has one.

        `address` gives those of the pictures and files of messages.
        """
        return with_picture(self.shown, picture, address)

    @property
    def files(self) -> dict[str, bytes]:
        """The pictures and files of messages by their names beside the documents."""
        return file_bytes(self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The result of publishing: `location` is the target's id of the place, `where` its name for people.

    `anew` says that the earlier place was gone; `changed` is False if the place already had the same content.
    """

    location: str
    where: str
    link: str | None = None
    changed: bool = True
    anew: bool = False


class Target(Protocol):
    """A place to which postmortems are published."""

    def publish(self, edition: Edition, known: Publication | None) -> Published:
        """Publish the edition. It replaces the earlier publication `known`, if that still exists.

        Raises NotYetError if a retry may help, and UsageError if not; the message of either is shown to people.
        """
        ...
