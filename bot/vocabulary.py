"""The one table: every kind of timeline entry and every command.

Listeners, the Slack manifest, help, the README's command table, the templates' labels and the picture's marks
all come from here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of timeline entry, which is also a command of its own.

    A `milestone` moves the lifecycle and may come without words. A kind with `afterwards` is still taken by the
    channel's latest incident once that is resolved. `qualifiers` are the words the grammar may find before the
    text: `by monitoring` for a detection, `well:` for a lesson. `mark` is its sign in pictures and timelines.
    """

    name: str
    label: str
    hint: str
    description: str
    mark: str
    milestone: bool = False
    afterwards: bool = False
    qualifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subcommand:
    """A word after a command. `writes` is False for one that only reads."""

    name: str
    hint: str
    description: str
    writes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command, named without its slash. `bare` says what it does with no subcommand word."""

    name: str
    hint: str
    description: str
    subcommands: tuple[Subcommand, ...] = ()
    writes: bool = True


SEVERITIES = ("SEV1", "SEV2", "SEV3", "SEV4")
DETECTORS = ("monitoring", "customer", "engineer")
SIDES = ("well", "badly", "lucky")
FACTORS = ("technical", "process", "human")
ITEM_KINDS = ("short-term", "long-term")
PRIORITIES = ("high", "medium", "low")

STARTED = "started"
DETECTED = "detected"
ACKNOWLEDGED = "acknowledged"
ESCALATED = "escalated"
INVESTIGATING = "investigating"
RULED_OUT = "ruledout"
DID = "did"
IMPACT = "impact"
CAUSE = "cause"
MITIGATED = "mitigated"
RESOLVED = "resolved"
REOPENED = "reopened"
NOTE = "note"
LESSON = "lesson"
REVIEW = "review"

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name=STARTED,
            label="Started",
            milestone=True,
            mark="▶",
            hint="[at TIME] what broke first",
            description="Impact began",
        ),
        Kind(
            name=DETECTED,
            label="Detected",
            milestone=True,
            mark="◉",
            qualifiers=DETECTORS,
            hint="[at TIME] [by monitoring|customer|engineer:] what was seen",
            description="We learned of it, and how; declares an incident where none is open",
        ),
        Kind(
            name=ACKNOWLEDGED,
            label="Acknowledged",
            milestone=True,
            mark="◇",
            hint="[at TIME] who is on it",
            description="Somebody is on it",
        ),
        Kind(
            name=ESCALATED,
            label="Escalated",
            milestone=True,
            mark="▲",
            hint="[at TIME] to whom, and why",
            description="Whom it was escalated to",
        ),
        Kind(
            name=INVESTIGATING,
            label="Investigating",
            mark="?",
            hint="[at TIME] what is being looked at",
            description="A part being looked at, an assumption",
        ),
        Kind(
            name=RULED_OUT,
            label="Ruled out",
            mark="✕",
            hint="[at TIME] what it was not",
            description="A misleading path, closed",
        ),
        Kind(
            name=DID,
            label="Did",
            mark="●",
            afterwards=True,
            hint="[at TIME] what was done",
            description="An action taken",
        ),
        Kind(
            name=IMPACT,
            label="Impact",
            mark="!",
            afterwards=True,
            hint="[at TIME] who is hurt and how much",
            description="Who is hurt and how much; figures are kept",
        ),
        Kind(
            name=CAUSE,
            label="Cause",
            mark="◆",
            afterwards=True,
            qualifiers=FACTORS,
            hint="[at TIME] [technical|process|human:] what led to it",
            description="A root cause or contributing factor",
        ),
        Kind(
            name=MITIGATED,
            label="Mitigated",
            milestone=True,
            mark="◑",
            hint="[at TIME] what ended the impact",
            description="Impact ended, or lessened",
        ),
        Kind(
            name=RESOLVED,
            label="Resolved",
            milestone=True,
            mark="✔",
            hint="[at TIME] how it ended",
            description="It is over; drafts the postmortem",
        ),
        Kind(
            name=REOPENED,
            label="Reopened",
            milestone=True,
            mark="↻",
            afterwards=True,
            hint="[at TIME] what came back",
            description="It came back",
        ),
        Kind(
            name=NOTE,
            label="Note",
            mark="·",
            afterwards=True,
            hint="[at TIME] anything else",
            description="Anything else worth keeping",
        ),
        Kind(
            name=LESSON,
            label="Lesson",
            mark="★",
            afterwards=True,
            qualifiers=SIDES,
            hint="well|badly|lucky: what we learned",
            description="What went well, badly, or was luck",
        ),
    )
}

INCIDENT = Command(
    name="incident",
    hint="open [SEV1] title | status | severity | lead | title | list | search | report | edit | undo | help",
    description="Declare, look at and correct an incident",
    subcommands=(
        Subcommand(name="open", hint="[SEV1|SEV2|SEV3|SEV4] title", description="Declare an incident here"),
        Subcommand(name="status", hint="[INC-12]", description="Where it stands", writes=False),
        Subcommand(name="severity", hint="SEV1|SEV2|SEV3|SEV4", description="Set how bad it is"),
        Subcommand(name="lead", hint="@who", description="Say who leads it"),
        Subcommand(name="title", hint="new title", description="Rename it"),
        Subcommand(name="private", hint="[off]", description="Show it in this channel only"),
        Subcommand(name="list", hint="[open|all]", description="The workspace's incidents", writes=False),
        Subcommand(name="search", hint="words", description="Find words in titles and timelines", writes=False),
        Subcommand(name="report", hint="[30d|2026-10-01..2026-10-31]", description="Counts and times of a period"),
        Subcommand(name="edit", hint="NUMBER [at TIME] [new words]", description="Correct an entry: time or words"),
        Subcommand(name="undo", hint="", description="Take back my last entry"),
        Subcommand(name="help", hint="", description="This list", writes=False),
    ),
)

TIMELINE = Command(name="timeline", hint="[INC-12] [page]", description="The timeline so far", writes=False)

_ON_POSTMORTEMS = (
    Subcommand(name="draft", hint="[INC-12]", description="Draft it again from what is known now"),
    Subcommand(name="show", hint="[blameless|public|v3] [INC-12]", description="Show the newest one", writes=False),
    Subcommand(name="edit", hint="[INC-12] [section]", description="Edit a section in a form", writes=False),
    Subcommand(name="template", hint="[NAME] [INC-12]", description="Draft it in that template; bare lists them"),
    Subcommand(name="check", hint="[INC-12]", description="Advice before others read it", writes=False),
    Subcommand(
        name="publish",
        hint="[blameless|public] [folder|canvas] [INC-12]",
        description="Put it where it is read, or update it there",
    ),
    Subcommand(
        name=REVIEW,
        hint="[INC-12] WHEN [for 45m] [with @who] | cancel",
        description="Plan the meeting; bare shows the plan",
    ),
)
POSTMORTEM = Command(
    name="postmortem",
    hint=" | ".join(each.name for each in _ON_POSTMORTEMS),
    description="Draft the postmortem from the timeline, look at it, edit it",
    subcommands=_ON_POSTMORTEMS,
)

ACTION_ITEM = Command(
    name="actionitem",
    hint="[@owner] [short-term|long-term] [by DATE]: what | list | done | assign | due | snooze | drop",
    description="Record what has to change, with owner and date; bare opens a form",
    subcommands=(
        Subcommand(name="list", hint="[mine|overdue|all]", description="Action items and their state", writes=False),
        Subcommand(name="done", hint="NUMBER", description="It is done"),
        Subcommand(name="assign", hint="NUMBER @who", description="Give it an owner"),
        Subcommand(name="due", hint="NUMBER DATE", description="Give it another date"),
        Subcommand(name="snooze", hint="NUMBER 3d", description="Leave it alone for some days"),
        Subcommand(name="drop", hint="NUMBER why", description="Decide against it, and say why"),
        Subcommand(name="confirm", hint="NUMBER", description="A proposal is agreed"),
        Subcommand(name="reopen", hint="NUMBER", description="It is to be done after all"),
        Subcommand(name="link", hint="NUMBER https://…", description="Say where its ticket is"),
    ),
)

COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        *(Command(name=kind.name, hint=kind.hint, description=kind.description) for kind in KINDS.values()),
        INCIDENT,
        TIMELINE,
        POSTMORTEM,
        ACTION_ITEM,
    )
}

ADD_TO_TIMELINE = "add_to_timeline"
"""The message shortcut's callback id."""
