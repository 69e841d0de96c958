"""The demo put together: the small Slack, the bot behind it, the clock both go by, and what plays in it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.clock import now
from bot.config import Settings
from bot.demo.bot_process import BotProcess
from bot.demo.casefile import Case, TypedCommand
from bot.demo.clock import Travelling, travel
from bot.demo.drill import Drill
from bot.demo.preview import PostmortemPreview
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.objects import TEAM_ID
from bot.fakeslack.schema import Json
from bot.fakeslack.slack import Slack
from bot.slack.manifest import manifest
from bot.vocabulary import ACTION_ITEM, ADD_TO_TIMELINE, COMMANDS, DETECTED, DID, RESOLVED
from storage.database import Database


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
class StagedPeople:
    """The ids of the people, by name, and of the channels."""

    people: dict[str, str]
    channels: dict[str, str]


def assemble(slack: Slack, *, first_id: int) -> StagedPeople:
    """Put people and channels into the workspace; they get the same ids every time, others follow from `first_id` on.

    A store that outlives the demo finds its channels again, and takes nothing new for something it has seen.
    """
    slack.scopes = {*slack.scopes, *SCOPES}
    people = {role.name: slack.add_user(role.name, zone=role.zone) for role in ROLES}
    channels = {name: slack.add_channel(name) for name in CHANNELS}
    for person in people.values():
        slack.workspace.direct(person)
    slack.workspace.number_from(first_id)
    return StagedPeople(people=people, channels=channels)


DETECT, ADD, ACT_AS, RESOLVE, TRAVEL = "detect", "add", "act_as", "resolve", "travel"
STEPS: Final = (DETECT, ADD, ACT_AS, RESOLVE, TRAVEL)

_BY_COMMAND: Final = {DETECTED: DETECT, DID: ACT_AS, RESOLVED: RESOLVE}


class Hints:
    """Which of the five are done. `prefix` stands before every command; `lead` is the person the page begins as."""

    def __init__(self, *, prefix: str, lead: str) -> None:
        self._prefix = prefix
        self._lead = lead
        self._done: set[str] = set()
        self._has_item = False

    @property
    def done(self) -> list[str]:
        """The steps done, in their order."""
        return [step for step in STEPS if step in self._done]

    def typed(self, answer: Answer) -> None:
        """Somebody at the page typed a command, and this came of it."""
        name = answer.delivery.payload["command"].removeprefix(f"/{self._prefix}")
        if not answer.ok or answer.body.get("response_type") != "in_channel":
            return
        step = _BY_COMMAND.get(name)
        if step and (step != ACT_AS or answer.user != self._lead):
            self._done.add(step)
        self._has_item = self._has_item or name == ACTION_ITEM.name

    def submitted(self, answer: Answer) -> None:
        """Somebody at the page sent a form off."""
        if answer.ok and not answer.body and answer.delivery.payload["view"].get("callback_id") == ADD_TO_TIMELINE:
            self._done.add(ADD)

    def travelled(self) -> None:
        """Somebody moved the clock; with an action item recorded, that shows the reminders."""
        if self._has_item:
            self._done.add(TRAVEL)


DRILL_SPEED = 60.0
"""How many times as fast as real a drill plays when nobody says otherwise."""
_CHANNEL_LENGTH = 76
_NOT_OURS: Final = frozenset({"SCRIBE_SPOOL", "SCRIBE_PUBLISH_DIR", "SCRIBE_PUBLISH_URL"})


class Demo:
    """What the page drives. `cases` are the drills there are, by id, the first the one to suggest."""

    def __init__(
        self,
        slack: Slack,
        *,
        cast: StagedPeople,
        clock: Travelling,
        plug: BotProcess,
        living: PostmortemPreview,
        settings: Settings,
    ) -> None:
        self.slack = slack
        self.cast = cast
        self.clock = clock
        self.plug = plug
        self.living = living
        self.prefix = settings.prefix
        self.hints = Hints(prefix=settings.prefix, lead=cast.people[ROLES[0].name])
        self.cases: dict[str, Case] = {}
        self.drill: Drill | None = None
        self._features = manifest(prefix=settings.prefix, reactions=bool(settings.reactions))["features"]
        self.commands = frozenset(each["command"] for each in self._features["slash_commands"])
        self._turn = threading.Lock()
        self._waiting: tuple[str, float] | None = None

    def features(self) -> Json:
        """What the manifest tells Slack: commands with their hints, and shortcuts; and the commands' subcommands."""
        subcommands = {
            f"/{self.prefix}{command.name}": [
                {"name": each.name, "hint": each.hint, "description": each.description} for each in command.subcommands
            ]
            for command in COMMANDS.values()
        }
        listed = [{**each, "subcommands": subcommands[each["command"]]} for each in self._features["slash_commands"]]
        return {"commands": listed, "shortcuts": self._features["shortcuts"]}

    def travel(self, by: timedelta) -> None:
        """Move the clock forward; a drill that runs ends with that, as its times have passed."""
        with self._turn:
            self._end_drill()
            travel(self.clock, by, self.plug.tick)
            self.hints.travelled()
            self.slack.workspace.touch()

    def begin_when_watched(self, case_id: str, speed: float) -> None:
        """Let that drill begin as soon as somebody looks at the page."""
        self._waiting = (case_id, speed)

    def watched(self) -> None:
        """Somebody looks at the page."""
        with self._turn:
            waiting, self._waiting = self._waiting, None
        if waiting:
            self.begin_drill(*waiting)

    def begin_drill(self, case_id: str, speed: float | None = None) -> str:
        """Play the case from its beginning in a channel of its own, in place of any that runs; the channel's id.

        Raises KeyError for a case there is not.
        """
        case, speed = self.cases[case_id], DRILL_SPEED if speed is None else speed
        with self._turn:
            self._end_drill()
            channel = self.slack.add_channel(self._free_name(case.id))
            people = {name: self._person(name, case.timezone) for name in case.people}
            self.plug.refresh()

            def type_(typed: TypedCommand) -> Answer:
                command = f"/{self.prefix}{typed.command.removeprefix('/')}"
                return self.slack.command(people[typed.user], channel, command, typed.text)

            self.drill = Drill(case, self.clock, channel=channel, speed=speed, type_=type_)
            self.drill.start()
            return channel

    def close(self) -> None:
        """Let nothing play any more."""
        with self._turn:
            self._end_drill()

    def _end_drill(self) -> None:
        if self.drill is not None:
            self.drill.end()
            self.drill.join()

    def _person(self, name: str, zone: str) -> str:
        for user in self.slack.workspace.users.values():
            if user.name == name:
                return user.id
        person = self.slack.add_user(name, zone=zone)
        self.slack.workspace.direct(person)
        return person

    def _free_name(self, case_id: str) -> str:
        taken = {channel.name for channel in self.slack.workspace.channels.values()}
        name = case_id.lower().replace(".", "-")[:_CHANNEL_LENGTH]
        return next(each for each in (name, *(f"{name}-{turn}" for turn in range(2, 1000))) if each not in taken)


@contextmanager
def staged(
    slack: Slack,
    database: Database,
    environment: Mapping[str, str],
    *,
    spool: Path,
    clock: Travelling,
    http: bool = False,
) -> Iterator[Demo]:
    """A demo in the serving `slack`, over `database`, with the bot plugged in.

    Of `environment` it takes SCRIBE_*, but for what names places of the bot that works here: what that one keeps, and
    where it publishes, is none of the demo's.
    """
    settings = Settings.from_env(
        {
            "SCRIBE_REACTIONS": REACTIONS,
            "SCRIBE_CANVAS": "on",
            **{
                name: value
                for name, value in environment.items()
                if name.startswith("SCRIBE_") and name not in _NOT_OURS
            },
            "SCRIBE_SPOOL": str(spool),
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
        }
    )
    # A millisecond counts on: no two demos over one store give the same id twice.
    cast = assemble(slack, first_id=int(now().timestamp() * 1000))
    plug = BotProcess(slack, settings, database, clock, http=http)
    living = PostmortemPreview(database, settings, clock, TEAM_ID)
    demo = Demo(slack, cast=cast, clock=clock, plug=plug, living=living, settings=settings)
    plug.push()
    try:
        yield demo
    finally:
        demo.close()
        plug.pull()
