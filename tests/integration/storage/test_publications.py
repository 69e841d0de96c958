"""A target holds one publication of an incident, and the next takes its place."""

from datetime import UTC, datetime

from storage import publications
from storage.database import Database
from tests.integration.storage.rows import declare

AT = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)


def test_publishing_again_updates_what_the_target_holds(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        for version in (1, 2):
            publications.save(
                connection, incident.id, target="folder", location="INC-1", version=version, at=AT, by="alice"
            )
    with database.read() as connection:
        (kept,) = publications.of_incident(connection, incident.id)
    assert (kept.target, kept.location, kept.version, kept.published_at) == ("folder", "INC-1", 2, AT)


def test_a_postmortem_stands_in_several_places(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        for target in ("folder", "canvas"):
            publications.save(connection, incident.id, target=target, location="x", version=1, at=AT, by="alice")
    with database.read() as connection:
        assert [each.target for each in publications.of_incident(connection, incident.id)] == ["canvas", "folder"]
