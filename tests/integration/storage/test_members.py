from storage import members
from storage.database import Database
from storage.values import Member
from tests.integration.storage.making import NOW, later
from tests.support.together import together

ALICE = Member(workspace_id="T1", user_id="U1", name="alice", timezone="Europe/Berlin")


def test_a_member_is_remembered_as_slack_last_told(database: Database) -> None:
    moved = Member(workspace_id="T1", user_id="U1", name="alice b.", timezone=None, barred="deactivated")
    with database.write() as connection:
        assert members.find(connection, "T1", "U1") is None
        members.save(connection, [ALICE], at=NOW)
        assert members.find(connection, "T1", "U1") == ALICE
        members.save(connection, [moved], at=later(1))
        assert members.find(connection, "T1", "U1") == moved
        assert members.find(connection, "T2", "U1") is None
        assert members.find_many(connection, "T1", ["U1", "U2"]) == {"U1": moved}


def test_nobody_is_kept_when_nobody_is_told_of(database: Database) -> None:
    with database.write() as connection:
        members.save(connection, [], at=NOW)
        assert connection.exec_driver_sql("SELECT count(*) FROM members").scalar() == 0


def test_everybody_fetched_at_once_by_several_in_any_order_is_kept_once(database: Database) -> None:
    people = [Member(workspace_id="T1", user_id=f"U{each}", name="x", timezone=None) for each in range(200)]

    def keep(number: int) -> None:
        with database.write() as connection:
            members.save(connection, people if number % 2 else people[::-1], at=NOW)

    together(keep)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM members").scalar() == 200
