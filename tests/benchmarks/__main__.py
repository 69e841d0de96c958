"""`python -m tests.benchmarks [NAME…] [--rounds N] [--short] [--times N] [--seed N] [--under PATH] …`."""

import random
from pathlib import Path

import click

from tests.benchmarks import (
    ack,
    attacks,
    backfill,
    card,
    compare,
    databases,
    draft,
    growth,
    kills,
    memory,
    mix,
    numbers,
    observe,
    picture,
    planted,
    redraft,
    reminders,
    reminding,
    start,
    steady,
    storm,
    walks,
    webhooks,
)
from tests.benchmarks.effort import Effort

BENCHMARKS = {
    "ack": ack.measure,
    "backfill": backfill.measure,
    "card": card.measure,
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
    "walks": walks.measure,
}
ENDURANCE = {
    "attacks": attacks.measure,
    "kills": kills.measure,
    "mix": mix.measure,
    "planted": planted.measure,
    "steady": steady.measure,
    "storm": storm.measure,
    "webhooks": webhooks.measure,
}
"""These take minutes each, so they are run when they are named."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*BENCHMARKS, *ENDURANCE]))
@click.option(
    "--rounds", type=click.IntRange(1, 50), default=5, show_default=True, help="How often each takes its turn."
)
@click.option("--short", is_flag=True, help="A quarter of the requests in each round.")
@click.option("--times", type=click.IntRange(4), default=100, show_default=True, help="Of kills: how many.")
@click.option(
    "--seed", type=int, default=None, help="Of attacks, kills and planted: whose moments and faults; any, unless given."
)
@click.option(
    "--under", default="", help="Of planted: the folder or file in which faults are planted, such as bot/domain."
)
@click.option("--tests", multiple=True, help="Of planted: the tests that are to notice them; all, unless given.")
@click.option(
    "--compare",
    "kept",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Only the three ratios of CPU time that tell a regression, beside those kept in the file.",
)
@click.option("--keep", is_flag=True, help="With --compare: keep this run's ratios in the file.")
def main(
    names: tuple[str, ...],
    rounds: int,
    times: int,
    seed: int | None,
    under: str,
    tests: tuple[str, ...],
    kept: Path | None,
    *,
    short: bool,
    keep: bool,
) -> None:
    """Measure how fast Scribe is, in about four minutes; or what is named, as the longer ones must be."""
    if kept is not None:
        compare.measure(kept, keep=keep)
        return
    chosen = random.randrange(1_000_000) if seed is None else seed  # noqa: S311 - no secret
    effort = Effort(rounds=rounds, share=0.25 if short else 1.0, times=times, seed=chosen, under=under, tests=tests)
    measures = BENCHMARKS | ENDURANCE
    for name in names or BENCHMARKS:
        measures[name](effort)


if __name__ == "__main__":
    main()
