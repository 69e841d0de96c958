from storage import postmortems
from storage.database import Database
from storage.values import Section
from tests.integration.storage.rows import declare, later

SECTIONS = (
    Section(key="summary", heading="Issue summary", body="`disk` full \u2014 ünï\n\n```\nx\n```"),
    Section(key="lessons", heading="Lessons learned", body="", edited=True),
)


def test_every_draft_is_a_version_of_its_own_and_the_newest_is_shown(database: Database) -> None:
    with database.write() as connection:
        incident, other = declare(connection), declare(connection, channel_id="C2")
        assert postmortems.newest(connection, incident.id) is None
        versions = [
            postmortems.add(
                connection, incident.id, template="classic", sections=SECTIONS[:count], drafted_at=later(count),
                drafted_by="alice",
            )
            for count in (1, 2)
        ]  # fmt: skip
        assert postmortems.newest(connection, other.id) is None
    with database.read() as connection:
        assert postmortems.newest(connection, incident.id) == versions[1]
        assert connection.exec_driver_sql("SELECT count(*) FROM postmortem_versions").scalar() == 2
    assert [each.version for each in versions] == [1, 2]
    assert versions[1].sections == SECTIONS
