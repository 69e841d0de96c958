"""`scribe import`: a postmortem edited as a file, brought together with what was saved since it was written out."""

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from bot.clock import now
from bot.config import Settings
from bot.documents.escaping import markdown
from bot.documents.rendering import terminal
from bot.domain.postmortem import manuscript
from bot.domain.postmortem.manuscript import Manuscript, ManuscriptSection
from bot.domain.postmortem.merge import MergeOptions, merge
from bot.domain.postmortem.redraft import Conflicts, conflicts_by_heading, handwritten, rewritten
from bot.errors import UsageError
from bot.handlers.postmortem.edits import normalize
from bot.handlers.postmortem.exports import find_incident
from bot.handlers.terminal import author_name
from storage import incidents, postmortems, receipts
from storage.database import Database
from storage.values import Incident, Postmortem, Section

MOST_BYTES = 16 * 1024 * 1024
FILE = "As the file has it"
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What an import came to: the newest version now, whether it is a new one, and headings.

    `already` is the version that this very file made before; it is not brought in twice.
    `missing` are sections that the file lacks and that stay, since its end is missing too; `retitled` is the title
    the file has, where that is another.
    """

    incident: Incident
    version: Postmortem
    opened: int
    already: int | None = None
    new: bool = False
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    conflicts: Conflicts = ()
    retitled: str | None = None


def decode(content: bytes, name: str) -> str:
    """The file as text with line feeds. Raises UsageError for what is no text in UTF-8, or too long."""
    if len(content) > MOST_BYTES:
        raise UsageError(f"{name} has {len(content):,} bytes; a postmortem of more than {MOST_BYTES:,} is not taken.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name} is not in UTF-8: see line {line}. Save it as UTF-8 and import it again.") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def import_and_describe(
    database: Database, settings: Settings, content: bytes, name: str, *, author: str | None, workspace_id: str | None
) -> str:
    """Import the content of the file called `name`, and tell what it changed as plain text. Raises UsageError."""
    person = author_name(author, "import FILE")
    imported = import_file(database, decode(content, name), name, by=person, at=now(), workspace_id=workspace_id)
    return terminal("imported", imported=imported, incident=imported.incident, prefix=settings.prefix)


def import_file(
    database: Database, text: str, name: str, *, by: str, at: datetime, workspace_id: str | None = None
) -> ImportResult:
    """Keep what the file changed as a new version; a file that changes nothing makes none.

    Raises UsageError for a file that is no postmortem's, and when there is no such incident or no draft of it.
    """
    number, opened = manuscript.parse_origin(text)
    if number is None:
        raise UsageError(f"{name} is no postmortem that scribe export wrote: it does not say of which incident it is.")
    with database.write() as connection:
        incident = find_incident(connection, f"INC-{number}", workspace_id)
        # Whoever drafts or edits it meanwhile waits.
        incidents.numbered(connection, incident.workspace_id, incident.number, lock=True)
        newest, base, file = _read(connection, incident, text, opened)
        key = f"import:{incident.number}:{sha256(text.encode()).hexdigest()}"
        earlier = receipts.find(connection, incident.workspace_id, key)
        if earlier is not None:
            return ImportResult(incident=incident, version=newest, opened=base.version, already=earlier["version"])
        imported = _keep(connection, incident, _Import(newest=newest, base=base, file=file), by=by, at=at)
        if imported.new:
            answer = {"version": imported.version.version}
            receipts.save(connection, incident.workspace_id, key, answer, at=at)
        return imported


@dataclass(frozen=True, slots=True, kw_only=True)
class _Import:
    """The newest version, the one the file was written from, and the file."""

    newest: Postmortem
    base: Postmortem
    file: Manuscript

    def sections(self) -> Iterator[Section]:
        """The newest version's sections as they are with the file's changes, then those only the file has."""
        parts = {part.key: part for part in self.file.parts}
        for section in self.newest.sections:
            part = parts.pop(section.key, None)
            yield self._merged(part, section) if part else self._without(section)
        for part in parts.values():
            left_out = self.base.section(part.key)
            if left_out is None:
                yield handwritten(part.key, unescaped(part.heading) or part.key, normalize(part.body))
            elif (merged := self._merged(part, left_out)) != left_out:
                # A template has dropped it since, and somebody goes on writing it.
                yield merged

    def _merged(self, part: ManuscriptSection, section: Section) -> Section:
        before = self.base.section(part.key)
        newest = self.newest
        options = MergeOptions(labels=(FILE, f"As {newest.drafted_by} saved it in version {newest.version}"))
        body = merge(before.body if before else "", normalize(part.body), section.body, options).text
        as_before = not part.heading or part.heading == markdown((before or section).heading)
        return rewritten(section, body, section.heading if as_before else unescaped(part.heading))

    def _without(self, section: Section) -> Section:
        """The section as it is when the file lacks it: taken out, if the file had it and still has its end."""
        before = self.base.section(section.key)
        if before is None or before.removed or section.removed or not self.file.whole:
            return section
        options = MergeOptions(labels=(FILE, f"As {self.newest.drafted_by} saved it in version {self.newest.version}"))
        return rewritten(section, merge(before.body, "", section.body, options).text)

    def missing(self) -> tuple[str, ...]:
        """What the file lacks, and is kept since nobody knows whether it was meant to go."""
        keys = {part.key for part in self.file.parts}
        lacking = (each.heading for each in self.base.shown if each.key not in keys)
        return () if self.file.whole else tuple(lacking)


def _read(
    connection: Connection, incident: Incident, text: str, opened: int | None
) -> tuple[Postmortem, Postmortem, Manuscript]:
    """The newest version, the one the file was written from, and the file."""
    newest = postmortems.newest(connection, incident.id)
    if newest is None:
        raise UsageError(f"{incident.name} has no draft yet; /postmortem draft in its channel writes one.")
    if opened is None:
        versions = postmortems.latest_first(connection, incident.id)
        base = max(versions, key=lambda version: _likeness(version, text))
        return newest, base, _manuscript(base, text)
    base_or_none = postmortems.numbered(connection, incident.id, opened)
    if base_or_none is None:
        raise UsageError(
            f"The file is of version {opened} of {incident.name}, and the store has only {newest.version}. "
            f"Is it of another store? Export it here, and put your changes into that file."
        )
    return newest, base_or_none, _manuscript(base_or_none, text)


def _manuscript(version: Postmortem, text: str) -> Manuscript:
    return manuscript.parse_manuscript(text, {each.key: markdown(each.heading) for each in version.shown})


def unescaped(heading: str) -> str:
    """A heading's words, out of Markdown."""
    return html.unescape(_ESCAPED.sub(r"\1", heading))


def _likeness(version: Postmortem, text: str) -> tuple[int, int]:
    """How like the version a file is that does not tell its own; of two alike the older one is the safer guess."""
    lines = Counter(line for each in version.shown for line in each.body.split("\n"))
    shared = (lines & Counter(text.split("\n"))).total()
    return 2 * shared - lines.total(), -version.version


def _keep(connection: Connection, incident: Incident, work: _Import, *, by: str, at: datetime) -> ImportResult:
    newest, sections = work.newest, tuple(work.sections())
    version = newest
    if sections != newest.sections:
        facts = {"template": newest.template, "sections": sections, "drafted_at": at, "drafted_by": by}
        version = postmortems.add(connection, incident.id, **facts, origin="import")
    before = {each.key: each for each in newest.sections}
    changed = [each for each in sections if each != before.get(each.key)]
    title = work.file.title
    return ImportResult(
        incident=incident,
        version=version,
        opened=work.base.version,
        new=version is not newest,
        changed=tuple(each.heading for each in changed if not each.removed),
        removed=tuple(each.heading for each in changed if each.removed),
        missing=work.missing(),
        conflicts=conflicts_by_heading(sections),
        retitled=title if title not in {None, "", markdown(incident.title)} else None,
    )
