"""Who works in the demo's workspace, and where: three people in three time zones, two channels."""

from dataclasses import dataclass
from typing import Final

from bot.fakeslack.slack import Slack


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A person one can act as. `zone` is an IANA name, `about` what the page says of them."""

    name: str
    zone: str
    about: str


ROLES: Final = (
    Role(name="alice", zone="Etc/UTC", about="incident lead, UTC"),
    Role(name="bob", zone="America/Los_Angeles", about="Los Angeles"),
    Role(name="carol", zone="Asia/Tokyo", about="Tokyo"),
)
CHANNELS: Final = ("incident", "general")
REACTIONS: Final = "pushpin=note"
SCOPES: Final = frozenset({"reactions:read", "channels:history", "groups:history", "canvases:write"})
"""What reactions and the canvas ask for beside the usual scopes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The ids of the people, by name, and of the channels."""

    people: dict[str, str]
    channels: dict[str, str]


def assemble(slack: Slack, *, first_id: int) -> Cast:
    """Put people and channels into the workspace; they get the same ids every time, others follow from `first_id` on.

    A store that outlives the demo finds its channels again, and takes nothing new for something it has seen.
    """
    slack.scopes = {*slack.scopes, *SCOPES}
    people = {role.name: slack.add_user(role.name, zone=role.zone) for role in ROLES}
    channels = {name: slack.add_channel(name) for name in CHANNELS}
    for person in people.values():
        slack.workspace.direct(person)
    slack.workspace.number_from(first_id)
    return Cast(people=people, channels=channels)
