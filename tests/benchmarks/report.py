"""What is printed: a heading, and tables in plain columns."""

from collections.abc import Iterable, Sequence

NO_AIM = ""


def heading(words: str) -> None:
    """A line above a table."""
    print(f"\n{words}", flush=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as they need to be, the first to the left, the others to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        first, *others = (
            cell.ljust(width) if not n else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  " + "  ".join([first, *others]), flush=True)


def say(words: str) -> None:
    """A line below a table."""
    print(f"  {words}", flush=True)


def ms(milliseconds: float) -> str:
    """`1.23 ms`."""
    return f"{milliseconds:.2f} ms"
