"""`scribe import FILE.md`: save an edited export as a new version, merged with what was saved since the export."""

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
    """The newest version after an import; `new` if the import wrote it. Sections are named by their headings.

    `opened` is the version that the file was exported from, `already` the version that an earlier import of the same
    file wrote. `missing` are sections that a truncated file lacks, and that are kept. `retitled` is the file's title
    where it differs; the title is not imported.
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


def import_and_describe(
    database: Database, settings: Settings, content: bytes, name: str, *, author: str | None, workspace_id: str | None
) -> str:
    """Import the content of the file called `name`; return what changed as plain text. Raises UsageError."""
    person = author_name(author, "import FILE")
    imported = import_file(database, decode(content, name), name, by=person, at=now(), workspace_id=workspace_id)
    return terminal("imported", imported=imported, incident=imported.incident, prefix=settings.prefix)


def decode(content: bytes, name: str) -> str:
    """The file as text with line feeds. Raises UsageError for content that is not UTF-8, or too long."""
    if len(content) > MOST_BYTES:
        raise UsageError(f"{name} has {len(content):,} bytes; a postmortem of more than {MOST_BYTES:,} is not taken.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name} is not in UTF-8: see line {line}. Save it as UTF-8 and import it again.") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def import_file(
    database: Database, text: str, name: str, *, by: str, at: datetime, workspace_id: str | None = None
) -> ImportResult:
    """Save what the file changed as a new version; without a change none is written.

    Raises UsageError for a file that is no exported postmortem, and for an unknown incident or one without a draft.
    """
    number, opened = manuscript.parse_origin(text)
    if number is None:
        raise UsageError(f"{name} is no postmortem that scribe export wrote: it does not say of which incident it is.")
    with database.write() as connection:
        incident = find_incident(connection, f"INC-{number}", workspace_id)
        # Drafts and edits of this incident wait for this lock.
        incidents.numbered(connection, incident.workspace_id, incident.number, lock=True)
        newest = postmortems.newest(connection, incident.id)
        if newest is None:
            raise UsageError(f"{incident.name} has no draft yet; /postmortem draft in its channel writes one.")
        base = _find_base(connection, incident, newest, text, opened)
        file = manuscript.parse_manuscript(text, {each.key: markdown(each.heading) for each in base.shown})
        key = f"import:{incident.number}:{sha256(text.encode()).hexdigest()}"
        earlier = receipts.find(connection, incident.workspace_id, key)
        if earlier is not None:
            return ImportResult(incident=incident, version=newest, opened=base.version, already=earlier["version"])
        result = _save(connection, incident, _FileMerge(newest=newest, base=base, file=file), by=by, at=at)
        if result.new:
            answer = {"version": result.version.version}
            receipts.save(connection, incident.workspace_id, key, answer, at=at)
        return result


def _find_base(
    connection: Connection, incident: Incident, newest: Postmortem, text: str, opened: int | None
) -> Postmortem:
    """The version that the file was exported from; for a file that does not say, the most similar one."""
    if opened is None:
        versions = postmortems.latest_first(connection, incident.id)
        return max(versions, key=lambda version: _similarity(version, text))
    base = postmortems.numbered(connection, incident.id, opened)
    if base is None:
        raise UsageError(
            f"The file is of version {opened} of {incident.name}, and the store has only {newest.version}. "
            f"Is it of another store? Export it here, and put your changes into that file."
        )
    return base


def _similarity(version: Postmortem, text: str) -> tuple[int, int]:
    """Lines in common, less lines of the version that the text lacks; of equal versions the oldest is the safest."""
    lines = Counter(line for each in version.shown for line in each.body.split("\n"))
    shared = (lines & Counter(text.split("\n"))).total()
    return 2 * shared - lines.total(), -version.version


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileMerge:
    """The three-way merge, per section, of the file and the newest version; `base` is their common ancestor."""

    newest: Postmortem
    base: Postmortem
    file: Manuscript

    def sections(self) -> Iterator[Section]:
        """The newest version's sections merged with the file's, then those that only the file has."""
        parts = {part.key: part for part in self.file.parts}
        for section in self.newest.sections:
            part = parts.pop(section.key, None)
            yield self._merged(part, section) if part else self._without_part(section)
        for part in parts.values():
            before = self.base.section(part.key)
            if before is None:
                yield handwritten(part.key, _unescape(part.heading) or part.key, normalize(part.body))
            elif (merged := self._merged(part, before)) != before:
                # A later template dropped the section, but the file changed it.
                yield merged

    def missing(self) -> tuple[str, ...]:
        """The headings that the file lacks because its end is missing; those sections are kept."""
        keys = {part.key for part in self.file.parts}
        lacking = (each.heading for each in self.base.shown if each.key not in keys)
        return () if self.file.whole else tuple(lacking)

    def _merged(self, part: ManuscriptSection, section: Section) -> Section:
        before = self.base.section(part.key)
        body = self._merge(before.body if before else "", normalize(part.body), section.body)
        as_before = not part.heading or part.heading == markdown((before or section).heading)
        return rewritten(section, body, section.heading if as_before else _unescape(part.heading))

    def _without_part(self, section: Section) -> Section:
        """The section when the file lacks it: removed, if it was in the exported version and the file is complete."""
        before = self.base.section(section.key)
        if before is None or before.removed or section.removed or not self.file.whole:
            return section
        return rewritten(section, self._merge(before.body, "", section.body))

    def _merge(self, before: str, file: str, newest: str) -> str:
        saved = f"As {self.newest.drafted_by} saved it in version {self.newest.version}"
        return merge(before, file, newest, MergeOptions(labels=(FILE, saved))).text


def _unescape(heading: str) -> str:
    """The heading's Markdown as plain text."""
    return html.unescape(_ESCAPED.sub(r"\1", heading))


def _save(connection: Connection, incident: Incident, file_merge: _FileMerge, *, by: str, at: datetime) -> ImportResult:
    newest, sections = file_merge.newest, tuple(file_merge.sections())
    version = newest
    if sections != newest.sections:
        facts = {"template": newest.template, "sections": sections, "drafted_at": at, "drafted_by": by}
        version = postmortems.add(connection, incident.id, **facts, origin="import", names=newest.names)
    before = {each.key: each for each in newest.sections}
    changed = [each for each in sections if each != before.get(each.key)]
    title = file_merge.file.title
    return ImportResult(
        incident=incident,
        version=version,
        opened=file_merge.base.version,
        new=version is not newest,
        changed=tuple(each.heading for each in changed if not each.removed),
        removed=tuple(each.heading for each in changed if each.removed),
        missing=file_merge.missing(),
        conflicts=conflicts_by_heading(sections),
        retitled=title if title not in {None, "", markdown(incident.title)} else None,
    )
