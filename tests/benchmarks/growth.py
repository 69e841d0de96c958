"""Whether a long incident answers more slowly than a short one."""

from dataclasses import dataclass

from storage import schema
from storage.database import Database
from tests.benchmarks import contenders, seed
from tests.benchmarks.effort import Effort
from tests.benchmarks.load import Lap, back_to_back
from tests.benchmarks.office import Office, office
from tests.benchmarks.race import Laps, race, ratio
from tests.benchmarks.report import heading, ms, table
from tests.benchmarks.requests import Typist

SIZES = (10, 1_000, 10_000)
TYPED = (("/note", "support counts 31 tickets"), ("/timeline", ""), ("/incident", "status"))
COMMANDS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident of so many entries, and the person who types in its channel."""

    entries: int
    author_name: Typist


def measure(effort: Effort) -> None:
    """Print the median by command and by the incident's number of entries."""
    with office() as place:
        runners = _seeded(place)
        with contenders.scribe(place, place.sqlite()) as scribe:
            for each in runners.values():
                back_to_back(scribe.port, _requests(each, *TYPED[0], 1), connections=1)
            heading(f"One command on an incident of {', '.join(runners)} entries: p50, and the last over the first")
            table(("", *runners, "ratio"), [_row(scribe.port, typed, runners, effort) for typed in TYPED])


def _seeded(place: Office) -> dict[str, Incident]:
    database = Database(place.sqlite())
    schema.migrate(database)
    runners: dict[str, Incident] = {}
    for entries in SIZES:
        channel = f"C0ENTRIES{entries}"
        with database.write() as connection:
            seed.incident(connection, channel, entries)
        runners[f"{entries:,}"] = Incident(entries=entries, author_name=place.in_channel(channel))
    database.close()
    return runners


def _row(port: int, typed: tuple[str, str], runners: dict[str, Incident], effort: Effort) -> list[str]:
    def lap(incident: Incident) -> Lap:
        return back_to_back(port, _requests(incident, *typed, effort.of(COMMANDS)), connections=1)

    laps = race(runners, lap, rounds=effort.rounds)
    first, *_, last = laps.values()
    return [
        " ".join(typed[:1] if typed[0] == "/note" else typed),
        *(ms(_p50(of)) for of in laps.values()),
        ratio(_p50, last, first),
    ]


def _p50(laps: Laps) -> float:
    return laps.percentile_ms(50)


def _requests(incident: Incident, command: str, text: str, n: int) -> list[bytes]:
    return [incident.author_name.types(command, text) for _ in range(n)]
