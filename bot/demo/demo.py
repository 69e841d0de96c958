"""The demo: the stand-in Slack, the bot, the clock both use, the postmortem's preview, and the drill that plays."""

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
from bot.demo.clock import AdjustableClock, travel
from bot.demo.drill import Drill
from bot.demo.film import Film
from bot.demo.preview import PostmortemPreview
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.objects import TEAM_ID
from bot.fakeslack.schema import Json
from bot.fakeslack.slack import Slack
from bot.slack.manifest import manifest
from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A person that the page can act as. `zone` is an IANA name, `about` the page's description."""

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
"""The scopes that reactions and the canvas need, in addition to the default ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedIds:
    """The ids of the seeded people and channels, by name."""

    people: dict[str, str]
    channels: dict[str, str]


def seed(slack: Slack, *, first_id: int) -> SeedIds:
    """Add the people and channels to the workspace, with the same ids every time; later ids count from `first_id`.

    A store that outlives the demo then finds its channels again, and no new message has the id of an old one.
    """
    slack.scopes = {*slack.scopes, *SCOPES}
    people = {role.name: slack.add_user(role.name, zone=role.zone) for role in ROLES}
    channels = {name: slack.add_channel(name) for name in CHANNELS}
    for person in people.values():
        slack.workspace.direct(person)
    slack.workspace.number_from(first_id)
    return SeedIds(people=people, channels=channels)


DRILL_SPEED = 60.0
"""How many times as fast as real time a drill plays by default."""
_MAX_CHANNEL_NAME = 76
"""Slack's limit is 80 characters; the rest is for the number that makes a repeated name unique."""
_IGNORED_SETTINGS: Final = frozenset({"SCRIBE_SPOOL", "SCRIBE_PUBLISH_DIR", "SCRIBE_PUBLISH_URL"})


class Demo:
    """Everything the page shows and changes. `cases` are the drills by id; the first is the one suggested."""

    def __init__(
        self,
        slack: Slack,
        *,
        ids: SeedIds,
        clock: AdjustableClock,
        bot_process: BotProcess,
        preview: PostmortemPreview,
        settings: Settings,
    ) -> None:
        self.slack = slack
        self.ids = ids
        self.clock = clock
        self.bot_process = bot_process
        self.preview = preview
        self.prefix = settings.prefix
        self.film = Film(prefix=settings.prefix)
        self.cases: dict[str, Case] = {}
        self.drill: Drill | None = None
        self._features = manifest(prefix=settings.prefix, reactions=bool(settings.reactions))["features"]
        self.commands = frozenset(each["command"] for each in self._features["slash_commands"])
        self._lock = threading.Lock()
        self._pending_drill: tuple[str, float] | None = None

    def features(self) -> Json:
        """The manifest's commands and shortcuts: what Slack's client completes."""
        return {"commands": self._features["slash_commands"], "shortcuts": self._features["shortcuts"]}

    def steps(self) -> Json:
        """The film's steps done, and whether the story is left out, since it was told."""
        if self.drill is not None and self.drill.played:
            self.film.on_told()
        if self.slack.workspace.canvases:
            self.film.on_publish()
        return {"done": self.film.done, "toured": self.film.toured}

    def travel(self, by: timedelta) -> None:
        """Move the clock forward, running what is due on the way. A running drill ends: its times have passed."""
        with self._lock:
            self._end_drill()
            travel(self.clock, by, self.bot_process.tick)
            self.film.on_travel()
            self.slack.workspace.touch()

    def start_drill_on_first_view(self, case_id: str, speed: float) -> None:
        """Start that drill when the page is first loaded, so that its beginning is seen."""
        self._pending_drill = (case_id, speed)

    def on_view(self) -> None:
        """Start the pending drill, if any: the page has asked for its state."""
        with self._lock:
            pending, self._pending_drill = self._pending_drill, None
        if pending:
            self.start_drill(*pending)

    def start_drill(self, case_id: str, speed: float | None = None) -> str:
        """End the running drill, if any, and play the case in a new channel; returns the channel's id.

        Raises KeyError for an unknown case.
        """
        case, speed = self.cases[case_id], DRILL_SPEED if speed is None else speed
        with self._lock:
            self._end_drill()
            channel = self.slack.add_channel(self._unused_channel_name(case.id))
            people = {name: self._find_or_add_user(name, case.timezone) for name in case.people}
            self.bot_process.refresh()

            def send(typed: TypedCommand) -> Answer:
                command = f"/{self.prefix}{typed.command.removeprefix('/')}"
                return self.slack.command(people[typed.user], channel, command, typed.text)

            self.drill = Drill(case, self.clock, channel=channel, speed=speed, send=send)
            self.drill.start()
            return channel

    def move_on(self, by: timedelta) -> None:
        """Move the clock on within an incident, where no drill has it."""
        with self._lock:
            if by and (self.drill is None or self.drill.over):
                self.clock.advance(by)
                self.slack.workspace.touch()

    def own_case(self, user: str, title: str, lines: str) -> tuple[str, tuple[Answer, ...]]:
        """Declare an incident in a new channel and give Scribe its chronology; the channel's id and the answers.

        It is the same as typing `/incident open` and `/incident backfill`, whose form shows the lines to be ticked.
        """
        with self._lock:
            self._end_drill()
            channel = self.slack.add_channel(self._unused_channel_name("my-case"))
            self.film.on_told()
        typed = (f"open {' '.join(title.split())}", f"backfill {lines.strip()}")
        return channel, tuple(self.slack.command(user, channel, f"/{self.prefix}incident", words) for words in typed)

    def close(self) -> None:
        """End the drill and wait for its thread."""
        with self._lock:
            self._end_drill()

    def _end_drill(self) -> None:
        if self.drill is not None:
            self.drill.end()
            self.drill.join()

    def _find_or_add_user(self, name: str, zone: str) -> str:
        for user in self.slack.workspace.users.values():
            if user.name == name:
                return user.id
        user_id = self.slack.add_user(name, zone=zone)
        self.slack.workspace.direct(user_id)
        return user_id

    def _unused_channel_name(self, case_id: str) -> str:
        taken = {channel.name for channel in self.slack.workspace.channels.values()}
        name = case_id.lower().replace(".", "-")[:_MAX_CHANNEL_NAME]
        return next(each for each in (name, *(f"{name}-{number}" for number in range(2, 1000))) if each not in taken)


def demo_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The SCRIBE_* variables of the environment, and the demo's own.

    Without those in _IGNORED_SETTINGS: they name folders and repositories of the production bot, which the demo must
    not write to.
    """
    own = {"SCRIBE_REACTIONS": REACTIONS, "SCRIBE_CANVAS": "on"}
    given = {name for name in environment if name.startswith("SCRIBE_")} - _IGNORED_SETTINGS
    return own | {name: environment[name] for name in given}


@contextmanager
def run_demo(
    slack: Slack,
    database: Database,
    environment: Mapping[str, str],
    *,
    spool: Path,
    clock: AdjustableClock,
    http: bool = False,
) -> Iterator[Demo]:
    """A demo in `slack`, which is serving, over `database`, with the bot started.

    Its settings are the `demo_variables` of `environment`.
    """
    settings = Settings.from_env(
        {
            **demo_variables(environment),
            "SCRIBE_SPOOL": str(spool),
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
        }
    )
    # Ids start at the present millisecond, so two demos over the same store never give out the same id.
    ids = seed(slack, first_id=int(now().timestamp() * 1000))
    bot_process = BotProcess(slack, settings, database, clock, http=http)
    preview = PostmortemPreview(database, settings, clock, TEAM_ID)
    demo = Demo(slack, ids=ids, clock=clock, bot_process=bot_process, preview=preview, settings=settings)
    bot_process.start()
    try:
        yield demo
    finally:
        demo.close()
        bot_process.stop()
