"""The one table: every kind of timeline entry and every command.

Listeners, the Slack manifest, help, the guide's command table, the templates' labels and the picture's marks
all come from here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of timeline entry; those of KINDS are commands of their own.

    A `milestone` moves the lifecycle and may come without words. `qualifiers` are the words the grammar may find before
    the text: `by monitoring` for a detection, `well:` for a lesson. `mark` is its sign in pictures and timelines.
    """

    name: str
    label: str
    hint: str
    description: str
    mark: str
    milestone: bool = False
    qualifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subcommand:
    """A word after a command. `writes` is False for one that only reads."""

    name: str
    hint: str
    description: str
    writes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another word for a subcommand. `means` takes its place, or `with_words` where words follow it."""

    means: str
    with_words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A slash command, named without its slash. `bare` says what it does with no subcommand word."""

    name: str
    hint: str
    description: str
    subcommands: tuple[Subcommand, ...] = ()
    writes: bool = True


SEVERITIES = ("SEV1", "SEV2", "SEV3", "SEV4")
SEVERITY_NAMES = {
    "critical": "SEV1", "major": "SEV2", "high": "SEV2", "minor": "SEV3", "medium": "SEV3", "moderate": "SEV3",
    "low": "SEV4",
}  # fmt: skip
"""What other tools call the severities; besides, P1 to P4 are SEV1 to SEV4."""
DETECTORS = ("monitoring", "customer", "engineer")
SIDES = ("well", "badly", "lucky")
FACTORS = ("technical", "process", "human")
QUALIFIER_LABELS: dict[str, str] = {
    "monitoring": "By monitoring",
    "customer": "By a customer",
    "engineer": "By an engineer",
    "well": "Went well",
    "badly": "Went badly",
    "lucky": "Luck",
    "technical": "Technical",
    "process": "Process",
    "human": "Human",
}
"""What the button says that sets the qualifier."""
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
SEVERITY = "severity"
LEAD = "lead"
ROLE = "role"
TITLE = "title"
PRIVATE = "private"
UPDATE = "update"
ALERT = "alert"
CHANGE = "change"

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
            hint="[at TIME] what was done",
            description="An action taken",
        ),
        Kind(
            name=IMPACT,
            label="Impact",
            mark="!",
            hint="[at TIME] who is hurt and how much",
            description="Who is hurt and how much; figures are kept",
        ),
        Kind(
            name=CAUSE,
            label="Cause",
            mark="◆",
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
            hint="[at TIME] what came back",
            description="It came back",
        ),
        Kind(
            name=NOTE,
            label="Note",
            mark="·",
            hint="[at TIME] anything else",
            description="Anything else worth keeping",
        ),
        Kind(
            name=LESSON,
            label="Lesson",
            mark="★",
            qualifiers=SIDES,
            hint="[well|badly|lucky:] what we learned",
            description="What went well, badly, or was luck",
        ),
    )
}

FACTS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(name=SEVERITY, label="Severity", mark="≡", hint="SEV1", description="How bad it was from then on"),
        Kind(name=LEAD, label="Lead", mark="♦", hint="@who", description="Who led it from then on"),
        Kind(name=ROLE, label="Role", mark="♢", hint="comms @who", description="Who had the role from then on"),
        Kind(name=TITLE, label="Title", mark="✎", hint="new title", description="What it was called from then on"),
        Kind(name=PRIVATE, label="Shown", mark="◌", hint="", description="Where it was shown from then on"),
    )
}
"""The kinds of entry that a change of the incident's own facts makes: no commands, but subcommands of `/incident`."""
TOLD: dict[str, Kind] = {
    UPDATE: Kind(
        name=UPDATE,
        label="Update",
        mark="»",
        hint="what is known[, next in 30m]",
        description="What stakeholders are told, and when they hear more",
    )
}
"""The kinds of entry that are subcommands of `/incident`, and change no fact of it."""
HEARD: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(name=ALERT, label="Alert", mark="▼", hint="", description="What monitoring said"),
        Kind(name=CHANGE, label="Change", mark="□", hint="", description="A deployment, a release or another change"),
    )
}
"""The kinds of entry that sources outside of Slack tell: no commands."""
ENTRY_KINDS: dict[str, Kind] = {**KINDS, **FACTS, **TOLD, **HEARD}
"""Every kind of entry."""

INCIDENT = Command(
    name="incident",
    hint="open [SEV1] title | status | catchup | severity | lead | handover | role | title | update | list | search "
    "| report | edit | undo | erase | help",
    description="Declare, look at and correct an incident",
    subcommands=(
        Subcommand(name="open", hint="[SEV1|SEV2|SEV3|SEV4] title", description="Declare an incident here"),
        Subcommand(name="status", hint="[INC-12]", description="Where it stands", writes=False),
        Subcommand(name="catchup", hint="[INC-12]", description="The story so far, for you alone", writes=False),
        Subcommand(name="severity", hint="SEV1|SEV2|SEV3|SEV4 [at TIME]", description="Set how bad it is"),
        Subcommand(name="lead", hint="@who|me [at TIME]", description="Say who leads it"),
        Subcommand(
            name="handover",
            hint="[at TIME] @who: what is going on",
            description="Give the lead to somebody, with words",
        ),
        Subcommand(name="role", hint="comms|ops|scribe @who|me|none [at TIME]", description="Say who does what beside"),
        Subcommand(name="title", hint="[at TIME] new title", description="Rename it"),
        Subcommand(name=UPDATE, hint=TOLD[UPDATE].hint, description=TOLD[UPDATE].description),
        Subcommand(name="private", hint="[off]", description="Show it in this channel only"),
        Subcommand(name="channel", hint="[INC-12]", description="Make a channel of its own, and go on there"),
        Subcommand(name="archive", hint="[INC-12]", description="Archive the channel of its own, once published"),
        Subcommand(name="cancel", hint="why", description="It was none: a false alarm, a drill, a mistake"),
        Subcommand(name="duplicate", hint="INC-4", description="It is the same as INC-4; its entries stay here"),
        Subcommand(name="merge", hint="INC-4", description="Bring the entries and items of INC-4 into this one"),
        Subcommand(name="list", hint="[open|all]", description="The workspace's incidents", writes=False),
        Subcommand(
            name="search", hint="words", description="Find words in titles, timelines, items, postmortems", writes=False
        ),
        Subcommand(name="report", hint="[30d|2026-10-01..2026-10-31]", description="Counts and times of a period"),
        Subcommand(
            name="edit", hint="NUMBER|last [at TIME] [new words]", description="Correct an entry: time or words"
        ),
        Subcommand(name="undo", hint="[NUMBER]", description="Take back my last entry, or that one"),
        Subcommand(
            name="backfill",
            hint="[INC-12] [14:00..15:30|lines]",
            description="Take in what was said here then, or a pasted chat or chronology: tick what goes in",
            writes=False,
        ),
        Subcommand(
            name="erase", hint="NUMBER why", description="Remove an entry's words for good, everywhere", writes=False
        ),
        Subcommand(name="help", hint="[all]", description="What can be typed", writes=False),
    ),
)

TIMELINE = Command(name="timeline", hint="[INC-12] [page]", description="The timeline so far", writes=False)

_ON_POSTMORTEMS = (
    Subcommand(name="draft", hint="[INC-12]", description="Draft it again from what is known now"),
    Subcommand(
        name="show", hint="[blameless|public [money]|v3] [INC-12]", description="Show the newest one", writes=False
    ),
    Subcommand(name="answer", hint="[INC-12]", description="Answer what is still open, in a form", writes=False),
    Subcommand(name="edit", hint="[INC-12] [section]", description="Edit a section in a form", writes=False),
    Subcommand(name="template", hint="[NAME] [INC-12]", description="Draft it in that template; bare lists them"),
    Subcommand(name="check", hint="[INC-12]", description="Advice before others read it", writes=False),
    Subcommand(name="strike", hint="[INC-12] OFFER", description="Take a lesson that is offered off the list"),
    Subcommand(
        name="publish",
        hint="[blameless|public [money] [pictures]] [folder|canvas] [anyway] [INC-12]",
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
    hint="[@owner] [by DATE] [P1] [short-term|long-term] what | list | done | assign | due | snooze | drop",
    description="Record what has to change, with owner and date; bare opens a form",
    subcommands=(
        Subcommand(name="list", hint="[mine|overdue|all]", description="Action items and their state", writes=False),
        Subcommand(name="done", hint="NUMBER", description="It is done"),
        Subcommand(name="assign", hint="NUMBER @who|me", description="Give it an owner"),
        Subcommand(name="due", hint="NUMBER DATE", description="Give it another date"),
        Subcommand(name="snooze", hint="NUMBER 3d", description="Leave it alone for some days"),
        Subcommand(name="drop", hint="NUMBER why", description="Decide against it, and say why"),
        Subcommand(name="confirm", hint="NUMBER", description="A proposal is agreed"),
        Subcommand(name="reopen", hint="NUMBER", description="It is to be done after all"),
        Subcommand(name="worked", hint="NUMBER yes|no why", description="Say whether what was done had its effect"),
        Subcommand(name="link", hint="NUMBER https://…", description="Say where its ticket is"),
        Subcommand(name="erase", hint="NUMBER why", description="Remove its words for good, everywhere", writes=False),
        Subcommand(
            name="remind",
            hint="[monday 9:30 | daily 8:00 | off until DATE | mute | default]",
            description="When I am reminded of what is mine; bare shows it",
        ),
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


def _aliases(*rows: tuple[str, str]) -> dict[str, Alias]:
    return {word: Alias(means=means) for means, words in rows for word in words.split()}


ALIASES: dict[str, dict[str, Alias]] = {
    INCIDENT.name: {
        **_aliases(
            ("open", "start new create declare begin raise trigger"),
            ("status", "show info view details state current"),
            ("severity", "sev priority prio"),
            ("lead", "leader commander ic assign owner"),
            ("lead me", "take"),
            ("handover", "hand-over handoff hand-off"),
            ("role", "roles"),
            ("catchup", "catch-up recap tldr"),
            ("title", "rename retitle name"),
            ("private off", "public"),
            ("list", "ls"),
            ("list all", "all"),
            ("search", "find"),
            ("report", "stats statistics metrics analytics"),
            ("edit", "correct amend"),
            ("undo", "revert retract"),
            ("help", "? commands usage"),
            ("cancel", "canceled cancelled abort dismiss discard decline void"),
            ("cancel false", "false"),
            ("cancel false alarm", "false-alarm falsealarm"),
            ("duplicate", "dup dupe same"),
            ("merge", "combine absorb"),
            (UPDATE, "updates announce broadcast"),
            (DETECTED, "detect"),
            (ACKNOWLEDGED, "ack acked acknowledge"),
            (ESCALATED, "escalate"),
            (INVESTIGATING, "investigate"),
            (RULED_OUT, "ruleout ruled-out rule-out"),
            (CAUSE, "causes rootcause root-cause"),
            (MITIGATED, "mitigate"),
            (RESOLVED, "resolve close end finish complete solve solved"),
            (REOPENED, "reopen"),
            (NOTE, "notes comment log"),
            (LESSON, "lessons"),
            (TIMELINE.name, "history"),
        ),
        **{
            f"{word}{grade}": Alias(means=f"severity {word}{grade}", with_words=f"open {word}{grade}:")
            for word in ("sev", "sev-", "p")
            for grade in range(6)
        },
        **{
            word: Alias(means=f"severity {word}", with_words=f"open {severity}: {word}")
            for word, severity in SEVERITY_NAMES.items()
        },
    },
    POSTMORTEM.name: _aliases(
        ("draft", "generate create write make new start redo redraft regenerate update"),
        ("show", "export view read open get display print"),
        ("answer", "answers questions interview ask"),
        ("edit", "change correct amend"),
        ("template", "templates"),
        ("check", "lint validate verify"),
        ("strike", "dismiss unoffer"),
        ("publish", "share post release"),
        (REVIEW, "schedule meeting"),
    ),
    ACTION_ITEM.name: _aliases(
        ("list", "ls show"),
        ("list all", "all open"),
        ("list mine", "mine my"),
        ("list overdue", "overdue"),
        ("done", "close closed complete completed finish finished resolve resolved fixed tick"),
        ("assign", "reassign give owner"),
        ("due", "deadline date reschedule"),
        ("snooze", "defer postpone later"),
        ("drop", "cancel reject wontfix decline"),
        ("confirm", "accept agree approve ok"),
        ("link", "ticket url"),
    ),
}
"""What people who know other tools type for a subcommand, by command."""

_DELETE = "delete deleted remove rm purge"
_EXPLAINED = {
    INCIDENT.name: {
        _DELETE: "Nothing is deleted here, what was said stays on record. To take back an entry: {incident} undo "
        "{number}. To correct it: {incident} edit {number} new words. To remove words that nobody may keep, such as a "
        "password: {incident} erase {number} why. If there was no incident: {incident} cancel why",
        "todo todos action actions actionitems action-item followup follow-up followups task tasks": "That is an "
        "action item; {actionitem} list shows them. To add one: {actionitem} {words:@alice by friday: test the "
        "backups}",
        "fix fixed done": "If the impact ended: {mitigated} what ended it. If it is over: {resolved} how it ended",
        "identify identified": "If it is known what led to it: {cause} what it was. If not yet: {investigating} what "
        "is looked at",
        "page invite notify alert": "Scribe calls nobody. Say whom you called: {escalated} to the database team",
    },
    POSTMORTEM.name: {
        _DELETE: "Nothing is deleted here, every version is kept. To change a section: {postmortem} edit. To draft the "
        "next version: {postmortem} draft",
    },
    ACTION_ITEM.name: {
        _DELETE: "Nothing is deleted here. To decide against it, say why: {actionitem} drop {number} no longer needed. "
        "If it is done: {actionitem} done {number}",
    },
}
EXPLAINED: dict[str, dict[str, str]] = {
    command: {word: text for words, text in rows.items() for word in words.split()}
    for command, rows in _EXPLAINED.items()
}
"""Words that no subcommand stands for, by command, with what to type instead: `{note}` is that command as it is typed,
`{number}` the number after the word, `{words:example}` the words after it, or
an example where there are none."""

ADD_TO_TIMELINE = "add_to_timeline"
"""The message shortcut's callback id."""
