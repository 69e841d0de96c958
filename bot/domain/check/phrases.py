"""The table of blaming phrases: the pattern, the subjects it counts for, what is wrong, and what to write instead."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from bot.domain.check.subject import Subject


class Wording(Enum):
    """What is wrong with a phrase: the reason, and what to write instead."""

    JUDGES = (
        "judges a person and tells nothing of what happened",
        "Leave the judgement out and say what happened: “the command ran on db1 instead of db2”",
    )
    HUMAN_ERROR = (
        "ends the questions where they should begin",
        "Say what made the wrong step easy: “both prompts look alike, so the command ran on the wrong host”",
    )
    HINDSIGHT = (
        "measures people by what is only known now",
        "Say what was known then: “no alert covers the queue, so the backlog was first seen by a customer”",
    )
    OBVIOUS = (
        "is only true afterwards",
        "Leave it out, or say what showed it and since when: “the graph of the queue showed it”",
    )
    OMISSION = (
        "tells what a person left undone, not why nothing else caught it",
        "Say what was missing: “nothing tells when a backup is empty”",
    )
    CAUSER = (
        "makes a person the cause; another one in their place would have done the same",
        "Say what made it possible: “one command removes the data directory, and it asks nothing”",
    )
    APPEAL = (
        "asks for care, which nobody can plan or verify",
        "Name the guard that catches it: “the prompt shows the host in red on production”",
    )
    PUNISHES = (
        "punishes, and the next report will say less",
        "Leave it out of the postmortem",
    )

    @property
    def reason(self) -> str:
        """The reason, as the end of a sentence that begins with the phrase."""
        return self.value[0]

    @property
    def better(self) -> str:
        """What to write instead."""
        return self.value[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseRow:
    """One row: `about` are the subjects that the phrase counts for (None for any).

    With `person_follows` it counts only before a person, with `causes` only in text about causes. A text that has none
    of the `stems` in lower case cannot match the pattern: they are a fast test.
    """

    fault: Wording
    pattern: re.Pattern[str]
    stems: tuple[str, ...]
    about: frozenset[Subject] | None = None
    person_follows: bool = False
    causes: bool = False


_PERSON = frozenset({Subject.PERSON})
_PEOPLE = frozenset({Subject.PERSON, Subject.WE})
_UNSAID = frozenset({Subject.PERSON, Subject.WE, Subject.NONE})
_NO_THING = frozenset({Subject.PERSON, Subject.WE, Subject.NONE, Subject.UNKNOWN})

_ATTEMPTS = (
    r"(?:re)?(?:connect|log|sign|reach|reproduce|recreate|restart|start|stop|restore|recover|roll|revert|mount|load"
    r"|open|authenticate|access|resolve|fix|find|locate|get|bring|drain|fetch|download|upload|install|deploy|build"
    r"|replicate|reconcile|scale|fail|kill|delete|clear|free|finish|complete|identify|isolate|mitigate|win|join|acquire)"
    r"\b"
)
_INSIGHT = (
    r"(?:notice|reali[sz]e|anticipate|foresee|consider|appreciate|understand|ask|inform|tell|warn|escalate|think"
    r"|double-check|communicate (?!with)|learn|plan|prepare|care)\b"
)
_DUTY = (
    r"(?:check|test|verify|review|follow|read|document|monitor|communicate|validate|rotate|renew|update|act|react)\b"
)
_NOT_DONE = (
    r"(?!(?:limited|dedicated|automated|shared|detailed|redundant|unified|improved|reduced|increased|restricted"
    r"|managed|need|replicated|isolated|distributed|delegated)\b)"
)
_DONE = (
    rf"{_NOT_DONE}(?:[a-z-]+ed|known|seen|done|made|taken|run|caught|read|thought|kept|gone|given|told|written|found"
    r"|sent|left|held|built|put|set|let|come|spoken|understood|said"
    r"|been (?:more|less|better|faster|quicker|slower|aware|careful|[a-z]+ing))\b"
)
_OF_INSIGHT = r"(?:known|asked|told|thought|waited|communicated|realised|realized|been more (?:careful|attentive))\b"
_BY_PEOPLE = (
    r"(?:tested|checked|double-checked|reviewed|caught|noticed|spotted|avoided|prevented|reverted|rolled back|escalated"
    r"|communicated|documented|verified|foreseen|anticipated|considered|discussed|approved|done|merged|deployed|pushed"
    r"|released|shipped|allowed|made|known|ignored|skipped|obvious|clear)\b(?! by\b)"
)
_SHOULD_HAVE = (
    r"\b(?:should(?:n['\u2019]?t)?|ought)(?: not| never)?(?:['\u2019]?ve| have| to have| of)(?: never| already"
    r"| at least| also| just| simply| really| clearly| [a-z]+ly)? "
)
_DELETED = (
    r"(?:deleted|removed|dropped|pushed|deployed|merged|changed|edited|disabled|restarted|stopped|killed|typed|entered"
    r"|ran|executed|applied|approved|skipped|missed|misconfigured|misread|mistyped|misunderstood|mixed up|confused"
    r"|shipped|released|turned off|turned on|switched off|wiped|truncated|overwrote|renamed|moved|unplugged|rebooted"
    r"|revoked|upgraded|committed|configured|set|left|broke|used|chose|made|copied|pasted|clicked|selected|bypassed)\b"
)
_ALARM = r"(?:alerts?|pages?|warnings?|alarms?|signs?|runbooks?|messages?|notifications?|steps?|handover|typo|flags?)"

_TABLE: tuple[tuple[Wording, frozenset[Subject] | None, str, str], ...] = (
    (Wording.JUDGES, None, ("careless|negligen|slopp|incompeten|reckless|laziness|idiot|stupid|foolish|thoughtless"
     "|amateur|inexcusabl|unprofessional|complacen|irresponsibl|inattenti|clueless"),
     (r"\b(?:careless|negligen[ct]|slopp(?:y|i)|incompeten[ct]|reckless|laziness|idiot|stupid|foolish|thoughtless"
     r"|amateur|inexcusabl|unprofessional|complacen[ct]|irresponsibl|inattenti|clueless)[a-z]*")),
    (Wording.JUDGES, None, "mistake|error|oversight|finger",
     (r"\b(?:(?:rookie|stupid|silly|dumb|sloppy|careless|bone-?headed|obvious|avoidable) (?:mistake|error|oversight)"
     r"|fat[- ]?finger)[a-z]*")),
    (Wording.JUDGES, None, "judg|decision|lack|common|excuse",
     (r"\b(?:(?:poor|bad) (?:judge?ment|decision)|lack of (?:care|attention|diligence|discipline|ownership)"
     r"|common sense|no excuse)\b")),
    (Wording.JUDGES, None, "competent|decent|experienced|sane|good",
     r"\b(?:any|every|no|a) (?:competent|decent|experienced|sane|(?<!a )good) [a-z-]+ (?:would|should|could)\b"),
    (Wording.JUDGES, _PERSON, "blindly", r"\bblindly\b"),
    (Wording.JUDGES, _PEOPLE | {Subject.UNKNOWN}, "screwed|messed|mucked|stuffed|botched|fumbled|blunder|blew|lazy",
     (r"\b(?:(?:screwed|messed|mucked|stuffed) (?:it |this |that |things )?up|botched|fumbled|blundered|blew it"
     r"|(?:was|were|is|are|been) (?:too )?lazy)\b")),
    (Wording.JUDGES, _PEOPLE, "mistake|error",
     r"\bmade (?:a|an|the|another|several) (?:[a-z]+ ){0,2}(?:mistakes?|errors?)\b"),
    (Wording.JUDGES, None, "mistake|fault|blunder",
     (r"\b(?:his|her|their|my|your|our) (?:own )?(?:mistake|blunder"
     r"|fault(?! (?:toleran|domain|zone|inject|line|handl|rate|model|budget)))")),
    (Wording.JUDGES, _PERSON, "mistake|fault|blunder|oversight",
     r"['\u2019]s? (?:own )?(?:mistake|fault|blunder|oversight)\b"),
    (Wording.JUDGES, _PERSON, "responsible|fault|blame|guilty",
     (r"\b(?:is|was|are|were|am) (?:[a-z]+ )?(?:responsible for (?:the|this|that) (?:outage|incident|downtime|failure"
     r"|crash|data loss|breakage|mess)|at fault|to blame|guilty)\b")),
    (Wording.HUMAN_ERROR, None, "error|mistake|failure",
     (r"\b(?:human|pilot|operator|user|engineer|developer|admin) (?:error|mistake|failure)\b"
     r"(?! (?:rate|messages?|logs?|pages?|reports?|counts?|codes?|handling|budgets?))")),
    (Wording.HINDSIGHT, _UNSAID, "should|ought", rf"{_SHOULD_HAVE}{_DONE}"),
    (Wording.HINDSIGHT, frozenset({Subject.UNKNOWN}), "should|ought", rf"{_SHOULD_HAVE}{_OF_INSIGHT}"),
    (Wording.HINDSIGHT, None, "should|ought", rf"{_SHOULD_HAVE}(?:been |never been )(?:[a-z]+ly )?{_BY_PEOPLE}"),
    (Wording.HINDSIGHT, None, "avoid|prevent|caught",
     (r"\bcould (?:easily |simply )?have (?:easily |simply )?been (?:easily )?(?:avoided|prevented|caught)\b(?! by\b)"
     r"|\beasily (?:been )?(?:avoid|prevent)(?:ed|able)\b")),
    (Wording.HINDSIGHT, _PEOPLE, "could",
     r"\bcould(?: easily| simply| just)? have \w{2,20}(?: \w+){0,6} (?:sooner|earlier|faster|quicker)\b"),
    (Wording.HINDSIGHT, _PEOPLE, "must have", r"\bmust have (?:known|noticed|seen|realised|realized)\b"),
    (Wording.HINDSIGHT, None, "to do",
     r"\ball (?:he|she|they|we|you|i|@[\w.-]+) (?:had|needed) to do\b"),
    (Wording.HINDSIGHT, None, "hindsight", r"\b(?:in|with|with the benefit of) hindsight\b"),
    (Wording.HINDSIGHT, None, "better", r"\b(?:knew|know|known) better\b"),
    (Wording.OBVIOUS, None, "obvious|needless",
     (r"(?<!not )\bobviously\b|\bneedless to say\b"
     r"|\b(?:it|this|that) (?:is|was|seems|seemed) (?:quite |so |pretty |very |already )?obvious\b")),
    (Wording.OMISSION, _PERSON, "fail", rf"\bfail(?:ed|s|ing)? to (?!{_ATTEMPTS})[a-z-]+"),
    (Wording.OMISSION, frozenset({Subject.WE}), "fail", rf"\bfail(?:ed|s|ing)? to (?:{_INSIGHT}|{_DUTY})"),
    (Wording.OMISSION, frozenset({Subject.NONE, Subject.UNKNOWN}), "fail", rf"\bfail(?:ed|s|ing)? to {_INSIGHT}"),
    (Wording.OMISSION, _NO_THING, "forgot", r"\bforgot(?:ten)?\b(?![- ](?:your |my |the )?passwords?)"),
    (Wording.OMISSION, None, "forgotten", r"\b(?:was|were|got|been) forgotten\b"),
    (Wording.OMISSION, _NO_THING, "neglect", r"\bneglect(?:ed|ing|s)? (?:to|the|his|her|their|its?|this|that|our)\b"),
    (Wording.OMISSION, _UNSAID, "bother",
     (r"\b(?:did(?: not|n['\u2019]?t)|never|bothered|couldn['\u2019]?t be) (?:even )?bother(?:ed|ing)?\b"
     r"|\bbothered to\b")),
    (Wording.OMISSION, _PEOPLE, "ignored|overlooked|disregarded", r"\b(?:ignored|overlooked|disregarded)\b"),
    (Wording.OMISSION, None, "ignored", rf"\b{_ALARM} (?:was|were|had been|got) (?:[a-z]+ly )?ignored\b(?! by\b)"),
    (Wording.OMISSION, _PEOPLE, "missed",
     rf"\bmissed (?:the|a|an|that|this|several|all|both|his|her|their|two|three) (?:[a-z]+ ){{0,2}}{_ALARM}\b"),
    (Wording.OMISSION, _PERSON, "did not|didn",
     (r"\bdid(?: not|n['\u2019]?t) (?:even |properly |really )?(?:check|test|read|verify|think|care|listen|ask|follow"
     r"|double-check|review|communicate|inform|tell|pay attention|look|bother|understand)\b")),
    (Wording.OMISSION, _PERSON, "attention", r"(?:not|n['\u2019]t) pay(?:ing)? (?:any |enough )?attention\b"),
    (Wording.APPEAL, None, "care|attenti|vigilant|diligent|cautious",
     (r"\b(?:(?:be|been|being|is|are) (?:more|extra) (?:careful|attentive|vigilant|diligent|cautious)"
     r"|(?:pay|paid|paying) (?:more|better|closer|enough|no) attention|more diligence\b)")),
    (Wording.CAUSER, _PERSON, "caused|broke|ruined|brought",
     r"\b(?:caused|broke(?!n| (?:off|out|up|for))|ruined|brought down)\b"),
    (Wording.PUNISHES, _PERSON, "disciplined|reprimanded|punished|sacked|fired|retrained",
     (r"\b(?:was|were|been|be|is|gets?|got) (?:formally )?"
     r"(?:disciplined|reprimanded|punished|sacked|fired|retrained)\b")),
)  # fmt: skip
_FOLLOWED = (
    (False, "caused|because|fault|blam",
     r"\b(?:caused by|because of|(?:the )?fault of|blam(?:e[sd]?|ing)(?: it| this)? on)\s+"),
    (True, " by ", rf"\b{_DELETED[:-2]} (?:[\w-]+ ){{0,4}}?by\s+"),
)  # fmt: skip


def _rows() -> Iterator[PhraseRow]:
    for fault, about, stems, pattern in _TABLE:
        yield PhraseRow(
            fault=fault, pattern=re.compile(pattern, re.IGNORECASE), stems=tuple(stems.split("|")), about=about
        )
    for causes, stems, pattern in _FOLLOWED:
        yield PhraseRow(
            fault=Wording.CAUSER,
            pattern=re.compile(pattern, re.IGNORECASE),
            stems=tuple(stems.split("|")),
            person_follows=True,
            causes=causes,
        )
    yield PhraseRow(
        fault=Wording.CAUSER,
        pattern=re.compile(rf"\b{_DELETED}", re.IGNORECASE),
        stems=("",),
        about=_PERSON,
        causes=True,
    )


ROWS = tuple(_rows())
