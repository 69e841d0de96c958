"""The walks: how many of our rooms and files a command enters, and how often control goes from one file to another."""

from tests.benchmarks.effort import Effort
from tests.benchmarks.report import heading, say, table
from tests.support.walks import recorded


def measure(_effort: Effort) -> None:
    """Print each walk; they are counted, not timed, so one run is enough."""
    heading("Walks")
    walks = recorded()
    table(
        ["walk", "rooms", "files", "stays"],
        [[walk.name, str(len(walk.rooms)), str(len(walk.files)), str(walk.stays)] for walk in walks],
    )
    for walk in walks:
        say(f"{walk.name}: {', '.join(sorted(walk.rooms))}")
