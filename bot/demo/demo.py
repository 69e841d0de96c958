"""The demo: the stand-in Slack, the bot, their clock, the preview, the drill, and the film of what to do next."""

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Final

from bot.clock import now
from bot.config import Settings
from bot.demo.bot_process import BotProcess
from bot.demo.casefile import Case, TypedCommand
from bot.demo.clock import AdjustableClock, travel
from bot.demo.drill import Drill
from bot.demo.preview import PostmortemPreview
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.objects import TEAM_ID
from bot.fakeslack.schema import Json
from bot.fakeslack.slack import Slack
from bot.handlers.incident import backfill, conversations
from bot.slack.manifest import manifest
from bot.vocabulary import (
    ACTION_ITEM,
    CAUSE,
    DETECTED,
    ENTRY_KINDS,
    ESCALATED,
    IMPACT,
    LESSON,
    MITIGATED,
    RESOLVED,
    RULED_OUT,
)
from storage.database import Database
from storage.values import FILES_SUFFIX


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
SCOPES: Final = frozenset(
    {"reactions:read", "channels:history", "groups:history", "canvases:write", "pins:read", "files:read"}
)
"""The scopes that reactions, the canvas, pins and pictures need, in addition to the default ones."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A step that is done by recording one command; the demo's clock then moves on by `then`."""

    command: str
    then: timedelta


def _scene(command: str, minutes: int) -> Scene:
    return Scene(command=command, then=timedelta(minutes=minutes))


STORY: Final[Mapping[str, Scene]] = {
    "detect": _scene(DETECTED, 2),
    "impact": _scene(IMPACT, 3),
    "escalate": _scene(ESCALATED, 6),
    "dead_end": _scene(RULED_OUT, 7),
    "mitigate": _scene(MITIGATED, 12),
    "cause": _scene(CAUSE, 4),
    "resolve": _scene(RESOLVED, 15),
    "lesson": _scene(LESSON, 1),
    "item": _scene(ACTION_ITEM.name, 0),
}
"""The hints by key, in their order, which make a good document; their texts stand in `templates/web/demo/hints.js`."""
ANSWER, PUBLISH, TRAVEL, DIGEST = "answer", "publish", "travel", "digest"
TOUR: Final = (ANSWER, PUBLISH, TRAVEL, DIGEST)
"""What follows the story, and the drill."""
STEPS: Final = (*STORY, *TOUR)


class Film:
    """Which steps are done. `prefix` stands before every command."""

    def __init__(self, *, prefix: str) -> None:
        self._prefix = prefix
        self._done: set[str] = set()
        self._resolved = self._toured = False

    @property
    def done(self) -> list[str]:
        """The steps done, in their order."""
        return [step for step in STEPS if step in self._done]

    def on_command(self, answer: Answer) -> timedelta:
        """Note a command that was typed at the page, by the bot's answer to it; returns by how much time moves on."""
        name = answer.delivery.payload["command"].removeprefix(f"/{self._prefix}")
        if not answer.ok or answer.body.get("response_type") != "in_channel":
            return timedelta()
        if name in ENTRY_KINDS and (self._toured or STORY.keys() <= self._done):
            self._done.add(ANSWER)
        self._resolved = self._resolved or name == RESOLVED
        return self._tell(name)

    def on_declared(self, answer: Answer) -> timedelta:
        """Note that an alert was declared an incident, by the bot's answer; returns by how much time moves on."""
        return self._tell(DETECTED) if answer.ok else timedelta()

    def _tell(self, command: str) -> timedelta:
        """Note the step of the story that is done by this command; returns by how much time moves on."""
        key = next((key for key, step in STORY.items() if step.command == command), None)
        if key is None or key in self._done or self._toured:
            return timedelta()
        self._done.add(key)
        return STORY[key].then

    def on_submit(self, answer: Answer) -> None:
        """Note a form that was submitted at the page: after the resolution it answers what the draft asked.

        That of a chronology or a conversation tells the story itself.
        """
        forms = {backfill.FORM, backfill.PREVIEW, backfill.RECORD, conversations.CHOOSE}
        told = answer.delivery.payload["view"].get("callback_id") in forms
        if self._resolved and answer.ok and not answer.body and not told:
            self._done.add(ANSWER)

    @property
    def toured(self) -> bool:
        """Whether the story is left out, since a drill or a case of one's own has told it."""
        return self._toured

    def on_told(self) -> None:
        """Note that a drill was played to its end, or a case of one's own: what follows is the tour."""
        self._resolved = self._toured = True

    def on_publish(self) -> None:
        """Note that a postmortem is published."""
        self._done.add(PUBLISH)

    def on_travel(self) -> None:
        """Note time travel, which shows reminders after a postmortem has its action items."""
        if self._resolved:
            self._done.add(TRAVEL)

    def on_digest(self) -> None:
        """Note that somebody looked at what Scribe had written to them alone."""
        if TRAVEL in self._done:
            self._done.add(DIGEST)


DRILL_SPEED = 60.0
"""How many times as fast as real time a drill plays by default."""
_MAX_CHANNEL_NAME = 76
"""Slack's limit is 80 characters; the rest is for the number that makes a repeated name unique."""
FIRST_RELEASE: Final = 418
"""The number of the first release that a pipeline tells of; the film's words name it."""
_IGNORED_SETTINGS: Final = frozenset(
    {
        "SCRIBE_SPOOL", "SCRIBE_FILES_DIR", "SCRIBE_PUBLISH_DIR", "SCRIBE_PUBLISH_URL",
        "SCRIBE_HOOKS_SECRET", "SCRIBE_HOOKS_SECRET_FILE",
    }
)  # fmt: skip


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
        self.releases = count(FIRST_RELEASE)
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
    not write to, and the secret of its addresses; the demo's is new each time.
    """
    own = {"SCRIBE_REACTIONS": REACTIONS, "SCRIBE_CANVAS": "on", "SCRIBE_PINS": "on", "SCRIBE_FILES": "images"}
    own["SCRIBE_HOOKS_SECRET"] = secrets.token_hex(32)
    given = {name for name in environment if name.startswith("SCRIBE_")} - _IGNORED_SETTINGS
    return own | {name: environment[name] for name in given}


def _files_beside(database: Database) -> Path | None:
    """The folder of kept pictures beside the database's file; None where it has none."""
    return Path(f"{database.url.database}{FILES_SUFFIX}") if database.is_sqlite and database.url.database else None


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
            "SCRIBE_FILES_DIR": str(_files_beside(database) or spool / "files"),
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
