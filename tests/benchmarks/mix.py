"""What may be slow, asked for many times at once among 20,000 incidents, while entries are recorded beside it."""

import threading
from collections.abc import Sequence
from statistics import quantiles

from sqlalchemy import update

from bot.fakeslack.objects import TEAM_ID
from storage import schema
from storage.database import Database
from storage.models import workspaces
from storage.search.index import catch_up
from tests.benchmarks import contenders, numbers, seed
from tests.benchmarks.contenders import Contender
from tests.benchmarks.effort import Effort
from tests.benchmarks.load import Lap, steady
from tests.benchmarks.office import Office, office
from tests.benchmarks.report import heading, ms, table

INCIDENTS, ENTRIES = 20_000, 5_000
PER_SECOND, ASKED_PER_SECOND = 50, 6
SECONDS, QUIET_S = 60, 20
SLACK_WAITS_S = 3.0
AIM_MS = 50.0
TYPED = (
    ("/postmortem", "check"),
    ("/incident", "search checkout times out"),
    ("/postmortem", "draft"),
    ("/incident", "report 365d"),
    ("/postmortem", "show"),
    ("/timeline", ""),
    ("/incident", "list all"),
    ("/incident", "status"),
)


def measure(effort: Effort) -> None:
    """Print the latencies of recording alone and beside the mix, and of each command of the mix."""
    busy_s, quiet_s = effort.of(SECONDS), effort.of(QUIET_S)
    with office() as place:
        url, channel = place.sqlite(), _seeded(place)
        with contenders.scribe(place, url) as scribe:
            alone = _recorded(scribe, quiet_s)
            asked: dict[str, Lap] = {}
            askers = [
                threading.Thread(target=_ask, args=(place, scribe, channel, typed, busy_s, asked)) for typed in TYPED
            ]
            for each in askers:
                each.start()
            beside = _recorded(scribe, busy_s)
            for each in askers:
                each.join()
    heading(f"{INCIDENTS} incidents, one with {ENTRIES} entries; recording (aim: p99 up to {AIM_MS:.0f} ms)")
    columns = ("", "requests", "p50", "p99", "max", "over 3 s")
    rows = {f"/detected, {PER_SECOND} a second, alone": alone, "the same beside the mix": beside}
    table(columns, [_row(name, lap.each_s) for name, lap in rows.items()])
    heading(f"the mix, {ASKED_PER_SECOND} a second (aim: none over {SLACK_WAITS_S:.0f} s)")
    table(columns, [_row(name, asked[name].each_s) for name in sorted(asked)])


def _recorded(scribe: Contender, seconds: int) -> Lap:
    requests = scribe.detections(PER_SECOND * seconds)
    return steady(scribe.port, requests, per_second=PER_SECOND, limit_s=seconds + 60.0)


def _ask(
    place: Office, scribe: Contender, channel: str, typed: tuple[str, str], seconds: int, asked: dict[str, Lap]
) -> None:
    per_second = ASKED_PER_SECOND / len(TYPED)
    requests = [place.in_channel(channel).types(*typed) for _ in range(max(2, int(seconds * per_second)))]
    asked[" ".join(typed).strip()] = steady(
        scribe.port, requests, per_second=per_second, connections=2, limit_s=seconds + 120.0
    )


def _row(name: str, each_s: Sequence[float]) -> tuple[str, ...]:
    hundredths = quantiles(each_s, n=100)
    late = sum(took_s > SLACK_WAITS_S for took_s in each_s)
    figures = (hundredths[49], hundredths[98], max(each_s))
    return name, str(len(each_s)), *(ms(took_s * 1000) for took_s in figures), str(late)


def _seeded(place: Office) -> str:
    """The incidents, and the long one; its channel."""
    database = Database(place.sqlite())
    schema.migrate(database)
    numbers.seed_incidents(database, INCIDENTS)
    channel = place.slack.add_channel("long")
    with database.write() as connection:
        last = update(workspaces).where(workspaces.c.id == TEAM_ID)
        connection.execute(last.values(last_incident_number=INCIDENTS))
        seed.incident(connection, channel, ENTRIES, items=20)
    # As on any other day: the index of so many takes half a minute, once.
    while catch_up(database):
        pass
    database.close()
    return channel
