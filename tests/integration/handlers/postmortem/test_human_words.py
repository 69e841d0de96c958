"""Any sequence of entries, drafts, edits, imports and changes of template keeps every line that a person wrote."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.documents import drafting
from bot.documents.export import editable
from bot.documents.templates import TemplateCatalog
from bot.errors import UsageError
from bot.handlers.postmortem import drafts
from bot.handlers.postmortem.edits import SAVE
from bot.handlers.postmortem.exports import read_by_name
from bot.handlers.postmortem.file_import import import_file
from bot.handlers.request import SectionEdit
from bot.handlers.routes import handle
from storage import incidents, postmortems
from storage.database import Database
from storage.values import Postmortem
from tests.support.asking import NOON, ask, request, save_draft

TOKEN = re.compile(r"human\d+")
ENTRIES = (
    "/did at 11:{0} restarted db{0}", "/impact at 11:{0} users: {0}% of logins failed", "/lesson well: alert {0}",
    "/cause process: nobody watched disk {0}", "/note told customers: mail {0}\n\nwith lines", "/incident undo",
)  # fmt: skip
WORDS = ("{}", "- {}", "### {}", "> {}", "```\n{}\n```", "| {} |", "{}\n\n## again", "")


@dataclass
class Life:
    """An incident that changes, and the words of people that its newest version must contain."""

    database: Database
    incident: int
    written: set[str] = field(default_factory=set)
    count: int = 0

    @property
    def channel(self) -> str:
        return f"C{self.incident}"

    def version(self, number: int | None = None) -> Postmortem:
        with self.database.read() as connection:
            incident = incidents.numbered(connection, "T1", self.incident)
            assert incident is not None
            newest = postmortems.newest(connection, incident.id)
            found = postmortems.numbered(connection, incident.id, number) if number else newest
        assert found is not None
        return found

    def keep(self, template: str) -> None:
        with self.database.write() as connection:
            found = incidents.numbered(connection, "T1", self.incident)
            assert found is not None
            incident, document = drafts.load_document(connection, found.id, prefix="")
            drafted = drafting.draft_sections(document, template, TemplateCatalog())
            save_draft(connection, incident, drafted, template=template)

    def words(self, how: int) -> str:
        """New words of a person, in one of several Markdown shapes; maybe none."""
        self.count += 1
        shape = WORDS[how % len(WORDS)]
        if shape:
            self.written.add(f"human{self.count}")
        return shape.format(f"human{self.count}")

    def changed(self, text: str, at: int, how: int) -> str:
        """The text with a line inserted, replaced or removed; words on a removed line need not be kept any more."""
        lines = text.split("\n")
        place = at % len(lines)
        gone = lines[place : place + how % 2]
        self.written -= set(TOKEN.findall("\n".join(gone)))
        return "\n".join([*lines[:place], self.words(how // 2), *lines[place + len(gone) :]])

    def enter(self, which: int, _at: int, _how: int) -> None:
        self.count += 1
        typed = ENTRIES[which % len(ENTRIES)].format(10 + self.count % 50)
        with suppress(UsageError):  # nothing more to take back
            ask(self.database, typed, channel_id=self.channel)

    def draft(self, which: int, _at: int, how: int) -> None:
        template = TemplateCatalog().names()[which % 5] if how % 2 else self.version().template
        self.keep(template)

    def edit(self, which: int, at: int, how: int) -> None:
        """In a form opened at this version or an earlier one; a conflict is submitted as it is shown."""
        opened = self.version(max(1, self.version().version - at % 3))
        section = opened.sections[which % len(opened.sections)]
        text, number = self.changed(section.body, at, how), opened.version
        while True:
            sent = SectionEdit(key=section.key, version=number, text=text)
            reply = handle(
                self.database, request("/x", command=SAVE, words="", incident_number=self.incident, edit=sent)
            )
            if reply.form is None:
                return
            assert text.strip("\n") in reply.text.replace("&gt;", ">") or not text
            text, number = str(reply.fills["text"]), int(str(reply.fills["version"]))

    def bring_in(self, which: int, at: int, how: int) -> None:
        """From a file of this version or an earlier one, maybe without its comments."""
        bare = how % 5 == 0
        # A file without comments does not say which of two similar versions it was exported from.
        opened = self.version(None if bare else max(1, self.version().version - at % 3))
        file = editable(replace(read_by_name(self.database, f"INC-{self.incident}"), postmortem=opened))
        shown = opened.shown[which % len(opened.shown)] if opened.shown else None
        if shown and shown.body:
            file = file.replace(shown.body, self.changed(shown.body, at, how), 1)
        if bare:
            file = "\n".join(line for line in file.split("\n") if not line.startswith("<!--"))
        import_file(self.database, file, "f.md", by="bob", at=NOON)

    def check(self) -> None:
        """Every word a person wrote and did not take out is in the newest version."""
        bodies = "\n".join(f"{each.heading}\n{each.body}" for each in self.version().sections)
        assert self.written <= set(TOKEN.findall(bodies))


STEPS: dict[str, Callable[[Life, int, int, int], None]] = {
    "enter": Life.enter, "draft": Life.draft, "edit": Life.edit, "bring in": Life.bring_in,
}  # fmt: skip
NUMBER = st.integers(0, 30)


numbers = count(1)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(list(STEPS)), NUMBER, NUMBER, NUMBER), max_size=12))
def test_every_line_a_person_wrote_is_in_the_newest_version(
    sqlite: Database, steps: list[tuple[str, int, int, int]]
) -> None:
    life = Life(sqlite, next(numbers))
    ask(sqlite, "/detected disk full", channel_id=life.channel)
    life.keep("classic")
    for name, which, at, how in steps:
        STEPS[name](life, which, at, how)
        life.check()
