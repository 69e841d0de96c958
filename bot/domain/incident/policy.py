"""Who may see which incident, and who may do what on it.

During an incident anyone of the workspace may do what it needs; the rest is for its responders. Who is no full member
of the workspace or its organisation, and of whom that is not known, sees the incident of the channel they are in, adds
to its record, and does no more unless the operator decides otherwise.
"""

from collections.abc import Mapping

from storage.values import MEMBER, UNKNOWN, Incident

OUTSIDERS, ANYONE, RESPONDERS, LEAD = "outsiders", "anyone", "responders", "lead"
GROUPS = (OUTSIDERS, ANYONE, RESPONDERS, LEAD)
"""The widest first. Outsiders are all who can type in the channel: guests, other organisations' people, people whose
standing is not known. Anyone is any full member. Responders are the lead, the person who declared the incident, and all
who recorded or wrote an entry of its timeline."""

POLICY: Mapping[str, str] = {
    "severity": ANYONE,
    "lead": ANYONE,
    "role": ANYONE,
    "title": ANYONE,
    "update": ANYONE,
    "channel": ANYONE,
    "private": RESPONDERS,
    "resolve": OUTSIDERS,
    "cancel": RESPONDERS,
    "duplicate": RESPONDERS,
    "merge": RESPONDERS,
    "edit": ANYONE,
    "undo": RESPONDERS,
    "document": ANYONE,
    "review": ANYONE,
    "publish": RESPONDERS,
    "items": ANYONE,
    "drop": RESPONDERS,
    "erase": LEAD,
}
"""The group each action is for, unless the operator decides otherwise.

What others have read (`publish`, `private off`) cannot be taken back. `edit` and `undo` are the changing and the taking
back of other people's entries, `items` and `drop` the changing and the dropping of their action items, and `erase` the
erasing of what others wrote: who wrote an entry may always erase it. `document` is the editing of the postmortem and
the choice of its template, `update` the telling of stakeholders, `channel` the making of a channel of its own and its
archiving, `review` the planning of its meeting. What is merged needs `merge` on both incidents.
"""


def visible_to(standing: str, incident: Incident, channel_id: str, *, took_part: bool = False) -> bool:
    """Whether a person of that standing (`Member.standing`) may see the incident in the channel or direct message.

    In its own channel all who are there see it. Elsewhere only full members do, and a private one only where they are
    shown it alone and `took_part`: they have a record on it, so they have been in its channel.
    """
    return incident.channel_id == channel_id or (standing == MEMBER and (took_part or not incident.private))


def told_in(incident: Incident, channel_id: str) -> bool:
    """Whether all who are in the channel may be told of the incident: in its own one, or a member's direct message.

    In any other channel there may be guests and people of other organisations, of whom Slack tells an app nothing.
    """
    return visible_to(MEMBER if channel_id.startswith("D") else UNKNOWN, incident, channel_id)


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
            *others, last = (f"{action}={each}" for each in GROUPS)
            raise ValueError(f"{group!r} may not {action}; write {', '.join(others)} or {last}")
    return {**POLICY, **chosen}
