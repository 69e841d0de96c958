from storage import members
from storage.database import Database
from storage.values import BOT, Member
from tests.integration.storage.rows import NOW, later
from tests.support.together import together

ALICE = Member(workspace_id="T1", user_id="U1", name="alice", timezone="Europe/Berlin")


def test_a_member_is_stored_as_slack_last_described_them(database: Database) -> None:
    moved = Member(workspace_id="T1", user_id="U1", name="alice b.", timezone=None, barred="deactivated")
    with database.write() as connection:
        assert members.find(connection, "T1", "U1") is None
        members.save(connection, [ALICE], at=NOW)
        assert members.find(connection, "T1", "U1") == ALICE
        members.save(connection, [moved], at=later(1))
        assert members.find(connection, "T1", "U1") == moved
        assert members.find(connection, "T2", "U1") is None
        assert members.find_many(connection, "T1", ["U1", "U2"]) == {"U1": moved}


def test_saving_no_members_changes_nothing(database: Database) -> None:
    with database.write() as connection:
        members.save(connection, [], at=NOW)
        assert connection.exec_driver_sql("SELECT count(*) FROM members").scalar() == 0


def test_transactions_that_save_the_same_members_in_any_order_do_not_deadlock(database: Database) -> None:
    people = [Member(workspace_id="T1", user_id=f"U{each}", name="x", timezone=None) for each in range(200)]

    def save(number: int) -> None:
        with database.write() as connection:
            members.save(connection, people if number % 2 else people[::-1], at=NOW)

    together(save)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM members").scalar() == 200


def test_bots_are_found_by_workspace(database: Database) -> None:
    people = [
        Member(workspace_id=workspace, user_id=user_id, name=user_id, timezone=None, barred=why)
        for workspace, user_id, why in (("T1", "U1", None), ("T1", "U2", BOT), ("T2", "U3", BOT))
    ]
    with database.write() as connection:
        members.save(connection, people, at=NOW)
    with database.read() as connection:
        assert members.bot_ids(connection, "T1") == {"U2"}
        assert members.find(connection, "T1", "U2") == people[1]
