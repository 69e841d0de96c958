"""A folder of postmortems: one directory each, files that depend on the store alone, a commit where Git looks after it.

Each file is written beside its place and then moved there, so a reader sees the old one or the new one, whole.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.publishing import git
from bot.publishing.target import Edition, NotYetError, Published
from storage.values import Publication

FILES: Final = {"postmortem.md": "md", "postmortem.html": "html", "postmortem.json": "json", "timeline.svg": "svg"}
WHOLE: Final = frozenset({"json"})
"""Formats that hold the whole record, names and all; no other reading of it has them."""
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder at `root`, which is there already: a mount that is away must not be mistaken for a new one.

    `url` is its address for people who read it on the web, if it has one.
    """

    root: Path
    url: str | None = None

    def publish(self, edition: Edition, known: Publication | None) -> Published:
        """Write the edition's directory and commit it. Raises NotYetError: whatever fails here can be put right."""
        place = self.root / edition.name
        documents = {
            name: edition.document(form).encode()
            for name, form in FILES.items()
            if not (edition.audience and form in WHOLE)
        }
        try:
            anew = known is not None and not place.exists()
            changed = write(place, documents)
        except OSError as error:
            raise NotYetError(_told(error, place)) from error
        committed = git.commit(place, sorted(documents), message=_message(edition))
        where = f"{edition.name} in the folder of postmortems" + (f", commit {committed}" if committed else "")
        link = f"{self.url}/{edition.name}" if self.url else None
        return Published(location=edition.name, where=where, link=link, changed=changed, anew=anew)


def _message(edition: Edition) -> str:
    how = f", {edition.audience}" if edition.audience else ""
    return f"{edition.record.incident.name}: postmortem, version {edition.version}{how}"


def _told(error: OSError, place: Path) -> str:
    if isinstance(error, NotYetError):
        return str(error)
    return f"{error.filename or place} cannot be written: {error.strerror or type(error).__name__}."


def write(place: Path, documents: Mapping[str, bytes]) -> bool:
    """Bring the files of the directory `place` to these bytes; whether any of them had others. Raises OSError."""
    if place.is_symlink():
        raise NotYetError(f"{place} is a link, and nothing is written through one. Remove it.")
    place.mkdir(exist_ok=True)
    for left_over in place.glob(f".*{_PART}"):
        left_over.unlink(missing_ok=True)
    stale = {name: content for name, content in documents.items() if not _holds(place / name, content)}
    for name, content in stale.items():
        _put(place / name, content)
    if stale:
        _to_disk(place)
    return bool(stale)


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == content


def _put(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_PART}")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _to_disk(place: Path) -> None:
    """Make the moves within the directory, and the directory itself, last."""
    for directory in (place, place.parent):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
