"""Simultaneous edits and drafts: every save is a version, and no words are lost."""

from bot.documents import drafting
from bot.documents.templates import TemplateCatalog
from bot.handlers.postmortem import drafts
from bot.handlers.postmortem.edits import SAVE
from bot.handlers.request import Reply, SectionEdit
from bot.handlers.routes import handle
from storage import postmortems
from storage.database import Database
from storage.values import Postmortem
from tests.support.asking import ask, request, save_draft
from tests.support.together import together

PEOPLE = 6


def draft(database: Database) -> None:
    with database.read() as connection:
        incident, document = drafts.load_document(connection, 1, prefix="")
    drafted = drafting.draft_sections(document, "classic", TemplateCatalog())
    with database.write() as connection:
        save_draft(connection, incident, drafted)


def save(database: Database, number: int, text: str, version: int) -> Reply:
    edit = SectionEdit(key="lessons", version=version, text=text)
    who = {"user_id": f"U{number}", "user_name": f"person{number}", "key": f"view:{number}:{version}:{len(text)}"}
    return handle(database, request("/x", command=SAVE, words="", incident_number=1, edit=edit, **who))


def save_until_saved(database: Database, number: int) -> None:
    """Save; while the form comes back with a conflict, submit it as it is, with both versions."""
    reply = save(database, number, f"Person {number} was here.", 1)
    while reply.form is not None:
        reply = save(database, number, str(reply.fills["text"]), int(str(reply.fills["version"])))


def newest(database: Database) -> Postmortem:
    with database.read() as connection:
        version = postmortems.newest(connection, 1)
    assert version is not None
    return version


def test_people_and_drafts_at_one_instant_lose_nothing(database: Database) -> None:
    ask(database, "/detected disk full")
    draft(database)

    def work(number: int) -> None:
        if number < PEOPLE:
            save_until_saved(database, number)
        else:
            draft(database)

    together(work, PEOPLE + 2)
    version = newest(database)
    assert version.version == 1 + PEOPLE + 2
    section = version.section("lessons")
    assert section is not None
    assert all(f"Person {number} was here." in section.body for number in range(PEOPLE))
