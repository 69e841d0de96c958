"""Lengths of time as people read them."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SECONDS_BELOW = 10 * _MINUTE


def duration(seconds: float | None) -> str:
    """The length of time in its one or two largest units: `45 s`, `3 min 20 s`, `1 h 32 min`, `9 d 3 h`.

    What is left below them is dropped, never rounded up; seconds stand only below ten minutes. None is
    `unknown`. Raises ValueError when it is negative or no finite number.
    """
    if seconds is None:
        return "unknown"
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"a length of time cannot be {seconds} s")
    whole = int(seconds)
    days, hours, minutes, rest = (
        whole // _DAY,
        whole % _DAY // _HOUR,
        whole % _HOUR // _MINUTE,
        whole % _MINUTE,
    )
    if days:
        return _joined((days, "d"), (hours, "h"))
    if hours:
        return _joined((hours, "h"), (minutes, "min"))
    return _joined((minutes, "min"), (rest if whole < _SECONDS_BELOW else 0, "s"))


def _joined(*parts: tuple[int, str]) -> str:
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
