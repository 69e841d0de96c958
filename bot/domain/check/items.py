"""The rules on action items: owner, due date, a verifiable end, and whether any item prevents a recurrence."""

import re

from bot.domain.check.finding import Advice, Material, at_items
from storage.values import ActionItem

_NEVER_DONE = (
    "investigate", "look into", "look at", "consider", "explore", "think about", "think of", "discuss", "revisit",
    "dig into", "talk to", "talk about", "understand", "follow up", "keep an eye", "brainstorm", "study", "research",
    "be careful", "be more", "be aware", "pay attention", "pay more", "try", "remember", "remind", "encourage",
    "raise awareness", "check if", "check whether", "see if", "see whether", "take care", "work on",
)  # fmt: skip
"""Verbs without an end. An item with one needs a second verb, from _CONCRETE, whose result can be seen."""

_NEVER_ENOUGH = (
    "improve", "ensure", "make sure", "enhance", "strengthen", "address", "review", "evaluate", "assess", "optimise",
    "optimize", "analyse", "analyze", "handle", "increase", "reduce", "better", "harden", "communicate", "examine",
    "support", "monitor better", "be able",
)  # fmt: skip
"""Verbs that need a figure, or a word such as `every` or `all`, to say how far."""

_CONCRETE = (
    "add|alert|automate|block|bring|build|cap|change|configure|create|decide|delete|deploy|disable|document|drop|enable"
    "|enforce|fail|file|fix|give|implement|install|keep|limit|list|lock|log|make|measure|merge|migrate|move|page|pin"
    "|publish|put|raise|reject|remove|rename|replace|require|restore|restrict|roll|run|schedule|send|set|ship|show|split"
    "|stop|switch|tag|test|train|turn|update|upgrade|use|verify|warn|wire|write"
)
_HEAD = r"(?:(?:please|we|should|must|need|have|to|better|also|the|team|then|let's|let us)[ ])*"


def _begins(verbs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\s*{_HEAD}(?:{'|'.join(verbs)})\b", re.IGNORECASE)


_VAGUE = ((_begins(_NEVER_DONE), False), (_begins(_NEVER_ENOUGH), True))
_THEN_CONCRETE = re.compile(rf"(?:[:;,.]|\b(?:and|then|by)\b)\s*(?:then |to )?(?:{_CONCRETE})(?:ing)?\b", re.IGNORECASE)
_HOW_FAR = re.compile(
    r"\d[\d.,]*\s?(?:%|ms|s|m|h|min|minutes?|hours?|seconds?|days?|weeks?|x|times|gb|mb|tb|per)(?!\w)"
    r"|\b(?:every|all|each|no|none|zero|any|both)\b|\b(?:to|under|below|above|over|within|least|most|than)[ ]\d",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d")
_SOFT = re.compile(
    r"\b(?:better|faster|quicker|slower|safer|easier|cleaner|smoother|sooner|clearer|stronger|tighter"
    r"|(?:more|less) (?!than\b)[a-z-]+|sensible|reasonabl[ey]|appropriate(?:ly)?|adequate(?:ly)?|properly|carefully"
    r"|sufficient(?:ly)?|where (?:possible|needed)|if possible|as (?:needed|necessary|soon as possible)|asap|regularly"
    r"|continuously|more often|in general|etc)\b",
    re.IGNORECASE,
)
_UNTIL = re.compile(r"\b(?:until|while|so that|because|since)\b.*", re.IGNORECASE | re.DOTALL)
_DETECTS = re.compile(
    r"\b(?:alert|alerts|alerting|alarm|alarms|page|pages|pager|paging|monitor|monitors|monitoring|dashboard|dashboards"
    r"|graph|graphs|watch|metric|metrics|logging|log|logs|probe|probes|notify|notification|notifications|detect|detection"
    r"|observability|tracing|status page|warn|warning|visibility|report|reports)\b",
    re.IGNORECASE,
)
_PREVENTS = re.compile(
    r"\b(?:prevent|avoid|block|limit|limits|cap|caps|guard|guards|roll|rollback|rollbacks|rollout|stage|stages|staged"
    r"|canary|test|tests|restore|restores|backup|backups|fail ?over|replace|remove|delete|upgrade|fix|validate"
    r"|validation|reject|require|lock|retry|retries|time ?outs?|redundan\w+|second|replica|isolate|split|automate"
    r"|disable|confirm|confirmation|runbook|runbooks|train|training|quota|rate|throttle|circuit|renew|rotate|review"
    r"|staging|move|enforce)\b",
    re.IGNORECASE,
)
_SHOWN = 80


def _open(material: Material) -> list[ActionItem]:
    return [item for item in material.items if item.pending]


def _quote(item: ActionItem) -> str:
    words = " ".join(item.text.split())
    return f"“{words if len(words) <= _SHOWN else words[: _SHOWN - 1].rstrip() + '…'}”"


def owners(material: Material) -> Advice:
    """Open items without an owner."""
    numbers = [item.number for item in _open(material) if not item.owner]
    if numbers:
        fix = material.slash(f"actionitem assign {numbers[0]} @owner")
        yield at_items(numbers), "Nobody has it" if len(numbers) == 1 else "Nobody has them", fix


def dates(material: Material) -> Advice:
    """Open items without a due date."""
    undated = [item for item in _open(material) if item.due_on is None]
    if undated:
        first = undated[0]
        yield (
            at_items(item.number for item in undated),
            "No due date",
            material.slash(f"actionitem due {first.number} DATE"),
        )


def vague(material: Material) -> Advice:
    """Open items that begin with a verb without an end, and name nothing concrete after it."""
    for item in _open(material):
        verb = _vague_verb(item.text)
        if verb:
            reason = f"{_quote(item)}: “{verb}” has no end to reach"
            yield (
                at_items([item.number]),
                reason,
                "Say what will be there afterwards: “write down which …, and add …”, “decide whether …, in a page”",
            )


def ends(material: Material) -> Advice:
    """Open items that say how something should be, but not how to verify it."""
    for item in _open(material):
        word = _soft_word(item.text)
        if word and not _vague_verb(item.text):
            reason = f"{_quote(item)}: how will one know that it is “{word}”?"
            yield at_items([item.number]), reason, "Say the figure or the test that shows it: “in under 5 minutes”"


def prevention(material: Material) -> Advice:
    """No action item, or only items that would detect the incident sooner, and neither prevent nor limit it."""
    fix = material.slash("actionitem @owner short-term by DATE: what keeps it from happening, or makes it smaller")
    if not material.items:
        yield "Action items", "There is none, so nothing changes yet", fix
    elif all(_DETECTS.search(item.text) and not _PREVENTS.search(item.text) for item in material.items):
        yield at_items(item.number for item in material.items), "They only notice it sooner; none prevents it", fix


def _vague_verb(text: str) -> str | None:
    for pattern, a_figure_helps in _VAGUE:
        match = pattern.match(text)
        if match and not _THEN_CONCRETE.search(text, match.end()):
            return None if a_figure_helps and _HOW_FAR.search(text) else match[0].strip()
    return None


def _soft_word(text: str) -> str | None:
    found = None if _FIGURE.search(text) else _SOFT.search(_UNTIL.sub("", text))
    return found[0] if found else None
