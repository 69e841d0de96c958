"""Publishes to a folder: one directory for each postmortem, and a commit if the folder is in a Git repository.

The files depend on the record alone. Each is written to a temporary file and then renamed, so that a reader always
sees a complete file, the old or the new one.
"""

import os
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.documents.export import file_name
from bot.publishing import git
from bot.publishing.target import Edition, NotYetError, Published
from storage.values import EntryFile, Publication

PICTURE: Final = "timeline.svg"
FILES: Final = {"postmortem.md": "md", "postmortem.html": "html", "postmortem.json": "json", PICTURE: "svg"}
UNREDACTED: Final = frozenset({"json"})
"""Formats with the whole record, names included, which an edition for an audience does not have."""
_PART = ".part"
_FILE = re.compile(r"file-[0-9]{1,9}-[0-9a-f]{12}\.[a-z]{2,4}")
"""The names of files of messages, which `file_name` gives them."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder at `root`. It must exist: creating it would write below a mount point whose volume is missing.

    `url` is its address on the web, if it has one.
    """

    root: Path
    url: str | None = None

    def publish(self, edition: Edition, known: Publication | None) -> Published:
        """Write the edition's directory and commit it. Raises NotYetError: the operator can fix any failure here."""
        place, files = self.root / edition.name, edition.files
        documents = {
            # The pictures are files beside it.
            name: (_illustrated(edition, files) if form == "md" else edition.document(form)).encode()
            for name, form in FILES.items()
            if not (edition.audience and form in UNREDACTED)
        }
        documents |= files
        try:
            anew = known is not None and not place.exists()
            changed = write(place, documents)
            removed = clear(place, documents)
        except NotYetError:
            raise
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise NotYetError(f"{error.filename or place} cannot be written: {reason}.") from error
        audience = f", {edition.audience}" if edition.audience else ""
        message = f"{edition.record.incident.name}: postmortem, version {edition.version}{audience}"
        committed = git.commit(place, sorted([*documents, *removed]), message=message)
        where = f"{edition.name} in the folder of postmortems" + (f", commit {committed}" if committed else "")
        link = f"{self.url}/{edition.name}" if self.url else None
        return Published(location=edition.name, where=where, link=link, changed=changed or bool(removed), anew=anew)


def _illustrated(edition: Edition, files: Collection[str]) -> str:
    def address(file: EntryFile) -> str | None:
        name = file_name(file)
        return name if name in files else None

    return edition.illustrated(PICTURE, address)


def clear(place: Path, documents: Collection[str]) -> list[str]:
    """Delete files of messages that are no part of the edition any more, such as erased ones; returns their names."""
    gone = [path for path in place.iterdir() if _FILE.fullmatch(path.name) and path.name not in documents]
    for path in gone:
        path.unlink()
    if gone:
        _sync(place)
    return [path.name for path in gone]


def write(place: Path, documents: Mapping[str, bytes]) -> bool:
    """Write the files that differ to the directory `place`. Returns whether any did. Raises OSError.

    Other files in the directory are not touched, except temporary files of a killed writer.
    """
    if place.is_symlink():
        raise NotYetError(f"{place} is a link, and nothing is written through one. Remove it.")
    place.mkdir(exist_ok=True)
    for left_over in place.glob(f".*{_PART}"):
        left_over.unlink(missing_ok=True)
    stale = {name: content for name, content in documents.items() if not _has_content(place / name, content)}
    for name, content in stale.items():
        _replace_file(place / name, content)
    if stale:
        _sync(place)
    return bool(stale)


def _has_content(path: Path, content: bytes) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == content


def _replace_file(path: Path, content: bytes) -> None:
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


def _sync(place: Path) -> None:
    """Flush the renames within the directory, and the directory's own entry, to disk."""
    for directory in (place, place.parent):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
