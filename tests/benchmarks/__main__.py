"""`python -m tests.benchmarks [NAME…] [--rounds N] [--short]`."""

import click

from tests.benchmarks import (
    ack,
    databases,
    draft,
    growth,
    memory,
    numbers,
    observe,
    picture,
    redraft,
    reminders,
    reminding,
    start,
)
from tests.benchmarks.effort import Effort

BENCHMARKS = {
    "ack": ack.measure,
    "databases": databases.measure,
    "growth": growth.measure,
    "draft": draft.measure,
    "report": numbers.measure,
    "picture": picture.measure,
    "redraft": redraft.measure,
    "memory": memory.measure,
    "reminders": reminders.measure,
    "reminding": reminding.measure,
    "start": start.measure,
    "observe": observe.measure,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option(
    "--rounds", type=click.IntRange(1, 50), default=5, show_default=True, help="How often each takes its turn."
)
@click.option("--short", is_flag=True, help="A quarter of the requests in each round.")
def main(names: tuple[str, ...], rounds: int, *, short: bool) -> None:
    """Measure how fast Scribe is: everything, or what is named. All of it takes about five minutes."""
    effort = Effort(rounds=rounds, share=0.25 if short else 1.0)
    for name in names or BENCHMARKS:
        BENCHMARKS[name](effort)


if __name__ == "__main__":
    main()
