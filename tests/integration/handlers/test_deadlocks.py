"""Of two transactions that wait for each other on PostgreSQL, none is refused."""

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection

from bot.clock import SetClock
from bot.handlers.request import Reply
from bot.slack.text import PlainText
from storage import incidents
from storage.database import Database
from tests.support.ledger import entries
from tests.support.workplace import workplace


def test_the_victim_of_a_deadlock_is_tried_again_and_recorded_once(postgres: Database, clock: SetClock) -> None:
    with workplace(postgres, clock=clock) as office:
        places = [office.channel, office.slack.add_channel("mails")]
        for channel in places:
            office.say("/detected disk full", channel=channel)
        both_hold = threading.Barrier(2)
        tries: list[int] = []

        def note(number: int) -> Reply:
            met = False

            def lock_the_other(connection: Connection, _reply: Reply) -> None:
                nonlocal met
                tries.append(number)
                if not met:
                    met = True
                    both_hold.wait(timeout=30)
                incidents.numbered(connection, office.slack.team_id, 3 - number, lock=True)

            request = office.bot.context.requests._request(
                office.slack.team_id,
                PlainText(words="restarted it"),
                user_id=office.alice,
                user_name="alice",
                command="did",
                channel_id=places[number - 1],
                channel_name="x",
                key=f"key {number}",
                source="slash",
                received_at=clock(),
            )
            return office.bot.context.offline.handle(request, lock_the_other)

        with ThreadPoolExecutor(2) as pool:
            replies = list(pool.map(note, (1, 2)))
        assert all("restarted it" in reply.text and "INC-" in reply.text for reply in replies)
        assert len(tries) == 3, "one was the victim"
        for number in (1, 2):
            assert [entry.text for entry in entries(office, number)] == ["disk full", "restarted it"]
