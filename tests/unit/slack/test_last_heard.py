"""When Slack was last heard, and what follows: of a connection, of several, and of those that have ended."""

from dataclasses import dataclass

import pytest

from bot.slack.inbound.socket import Keepalive, Socket, _Connection
from tests.support.workplace import Workplace

NOW_S = 10_000.0
KEEPALIVE = Keepalive(silent_s=30, lost_s=90)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One connection: seconds since Slack spoke there, and since its reader took something in."""

    spoke: float
    read: float = 0.0
    leaving: bool = False


CASES: dict[str, tuple[list[Heard], float, float, bool, bool, bool]] = {
    # Connections, seconds since an ended one was heard, seconds until a wait of Slack's ends; hearing, usable, lost.
    "just now": ([Heard(spoke=0)], 500, -500, True, True, False),
    "almost too long ago": ([Heard(spoke=29.9)], 500, -500, True, True, False),
    "too long ago": ([Heard(spoke=30)], 500, -500, False, False, False),
    "spoke, and nobody reads": ([Heard(spoke=0, read=30)], 500, -500, False, False, False),
    "read, and nobody speaks": ([Heard(spoke=31)], 500, -500, False, False, False),
    "asked to leave": ([Heard(spoke=0, leaving=True)], 500, -500, True, False, False),
    "the other one": ([Heard(spoke=80), Heard(spoke=5)], 500, -500, True, True, False),
    "the other one, first": ([Heard(spoke=5), Heard(spoke=80)], 500, -500, True, True, False),
    "one that ended": ([Heard(spoke=400)], 20, -500, False, False, False),
    "none, lost in a moment": ([], 90, -500, False, False, False),
    "none, and lost": ([], 90.1, -500, False, False, True),
    "open, and lost": ([Heard(spoke=91)], 500, -500, False, False, True),
    "none, while Slack has asked to wait": ([], 500, 60, False, False, False),
    "none, just after that wait": ([], 500, -89, False, False, False),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_last_heard_decides(office: Workplace, name: str) -> None:
    connections, ended, wait, hearing, usable, lost = CASES[name]
    socket = Socket(office.bot, office.bot.context.settings, KEEPALIVE, monotonic=lambda: NOW_S)
    for each in connections:
        # Without a network: only its times are looked at.
        connection = _Connection.__new__(_Connection)
        connection.heard_at_s, connection.read_at_s = NOW_S - each.spoke, NOW_S - each.read
        connection.leaving, connection.greeted_at_s = each.leaving, None
        socket._connections.append(connection)
    socket._heard_at_s, socket.pace.asked_until_s = NOW_S - ended, NOW_S + wait
    assert (socket.connected, socket.hearing, socket.usable, socket.lost) == (bool(connections), hearing, usable, lost)
    ages = [max(each.spoke, each.read) for each in connections]
    assert socket.silent_s == pytest.approx(min(ended, -wait, *ages))
