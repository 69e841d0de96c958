"""Who may do what: recording is open to everybody, and the rest to those who answer for the incident."""

from collections.abc import Mapping

ANYONE, RESPONDERS, LEAD = "anyone", "responders", "lead"
GROUPS = (ANYONE, RESPONDERS, LEAD)
"""Who may, the widest first. Responders are the lead and whoever declared the incident or is on its timeline."""

POLICY: Mapping[str, str] = {
    "severity": RESPONDERS,
    "lead": RESPONDERS,
    "title": RESPONDERS,
    "private": RESPONDERS,
    "resolve": RESPONDERS,
    "publish": RESPONDERS,
    "drop": RESPONDERS,
}
"""What is not open to everybody. `drop` is of other people's action items."""


def parse_policy(words: str) -> dict[str, str]:
    """`resolve=lead, severity=anyone`: the policy with those deeds given to other circles.

    Raises ValueError for a deed or a circle there is not.
    """
    pairs = [part.partition("=") for part in words.split(",") if part.strip()]
    chosen = {deed.strip().casefold(): circle.strip().casefold() for deed, _, circle in pairs}
    for deed, circle in chosen.items():
        if deed not in POLICY:
            raise ValueError(f"{deed!r} is nothing the policy knows; one of {', '.join(POLICY)}")
        if circle not in GROUPS:
            raise ValueError(f"{circle!r} may not {deed}; write {deed}=anyone, {deed}=responders or {deed}=lead")
    return {**POLICY, **chosen}
