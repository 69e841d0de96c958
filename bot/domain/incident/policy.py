"""The permission policy: anyone may record entries, other actions are for the responders or the lead."""

from collections.abc import Mapping

ANYONE, RESPONDERS, LEAD = "anyone", "responders", "lead"
GROUPS = (ANYONE, RESPONDERS, LEAD)
"""The widest first. Responders are the lead, the person who declared the incident, and all who recorded or wrote an
entry of its timeline."""

POLICY: Mapping[str, str] = {
    "severity": RESPONDERS,
    "lead": RESPONDERS,
    "title": RESPONDERS,
    "private": RESPONDERS,
    "resolve": RESPONDERS,
    "publish": RESPONDERS,
    "drop": RESPONDERS,
}
"""The group each restricted action is for. `drop` is the dropping of other people's action items."""


def parse_policy(words: str) -> dict[str, str]:
    """The policy that `resolve=lead, severity=anyone` makes of POLICY.

    Raises ValueError for an action or a group that does not exist.
    """
    pairs = [part.partition("=") for part in words.split(",") if part.strip()]
    chosen = {action.strip().casefold(): group.strip().casefold() for action, _, group in pairs}
    for action, group in chosen.items():
        if action not in POLICY:
            raise ValueError(f"{action!r} is nothing the policy knows; one of {', '.join(POLICY)}")
        if group not in GROUPS:
            raise ValueError(f"{group!r} may not {action}; write {action}=anyone, {action}=responders or {action}=lead")
    return {**POLICY, **chosen}
