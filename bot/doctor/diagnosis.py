"""What a check found: one line, with the way out where something is wrong."""

from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """`level` is `ok`, `warn` (Scribe works, less well) or `fail`. `fix` is what to do, if anything."""

    level: str
    about: str
    says: str
    fix: str = ""


def ok(about: str, says: str) -> Diagnosis:
    """All is well."""
    return Diagnosis(level=OK, about=about, says=says)


def warn(about: str, says: str, *, fix: str) -> Diagnosis:
    """It works, less well than it could, or will soon not."""
    return Diagnosis(level=WARN, about=about, says=says, fix=fix)


def fail(about: str, says: str, *, fix: str) -> Diagnosis:
    """It does not work."""
    return Diagnosis(level=FAIL, about=about, says=says, fix=fix)
