"""The rules on action items: owner, due date, a verb, a verifiable end, and whether any prevents or detects."""

import re

from bot.domain.check.finding import Advice, Material, at_entry, at_items
from bot.domain.items.labels import read_labels
from bot.vocabulary import DETECTED
from storage.values import ActionItem

_FIGURE_FIT = "Say the figure that shows it: “at most 2,000”, “from 4 s to 300 ms”"
_TIME_FIT = "Say how fast, as a figure: “in under 5 minutes”"
_OFTEN_FIT = "Say how often, or how soon: “every Monday”, “within 10 minutes”"
_TEST_FIT = "Name the test that shows it, or list what has to be there: “the nightly restore passes”"
_LIST_FIT = "List which ones, and say what is there at the end: “a page with each option, its owner and its default”"
_DECISION_FIT = "Say what is decided, and where it stands: “decide whether …, in a page”"
_ANSWER_FIT = "Say what will be there at the end: “list what …, and add …”, “a test that shows it”"
_GUARD_FIT = "Name the guard that catches it: a test, a prompt, a limit"

_NEVER_DONE = {
    _ANSWER_FIT: (
        "investigate", "investigation", "look into", "look at", "find out", "figure out", "find the reason", "find why",
        "get to the bottom", "explore", "dig into", "understand", "follow up", "study", "research", "check if",
        "check why", "check whether", "see if", "see whether", "see why", "see what", "determine why", "learn why",
        "clarify why", "work on", "try",
    ),
    _DECISION_FIT: (
        "consider", "think about", "think of", "discuss", "discussion", "revisit", "talk to", "talk about",
        "brainstorm",
    ),
    _GUARD_FIT: (
        "be careful", "be more", "be aware", "pay attention", "pay more", "remember", "remind", "encourage",
        "raise awareness", "take care", "keep an eye",
    ),
}  # fmt: skip
"""Verbs without an end, by what fits instead. An item with one needs a second verb, from _CONCRETE, whose result can
be seen."""

_NEVER_ENOUGH = {
    _FIGURE_FIT: ("increase", "reduce", "optimise", "optimize", "improve", "enhance"),
    _LIST_FIT: ("address", "review", "evaluate", "assess", "analyse", "analyze", "handle", "examine", "support"),
    _TEST_FIT: (
        "ensure", "make sure", "strengthen", "better", "harden", "communicate", "monitor better", "be able",
    ),
}  # fmt: skip
"""Verbs that need a figure, or a word such as `every` or `all`, to say how far."""

_SOFT = {
    _TIME_FIT: r"faster|quicker|slower",
    _FIGURE_FIT: (
        r"(?:more|less) (?!than\b|robust|reliabl|secur|clear|careful|often|test)[a-z-]+|sensible"
        r"|reasonabl[ey]|appropriate(?:ly)?|adequate(?:ly)?|sufficient(?:ly)?"
    ),
    _OFTEN_FIT: r"sooner|regularly|continuously|more often|as soon as possible|asap",
    _TEST_FIT: (
        r"better|safer|easier|cleaner|smoother|clearer|stronger|tighter"
        r"|more (?:robust|reliabl|secur|clear|careful|test)[a-z]*|properly|carefully|in general"
    ),
    _LIST_FIT: r"where (?:possible|needed)|if possible|as (?:needed|necessary)|etc",
}
"""Words that say how something should be and not how one knows that it is, by what shows it."""

_CONCRETE = (
    "add|alert|automate|block|bring|build|cap|change|configure|create|decide|delete|deploy|disable|document|drop|enable"
    "|enforce|fail|file|fix|give|implement|install|keep|limit|list|lock|log|make|measure|merge|migrate|move|page|pin"
    "|publish|put|raise|reject|remove|rename|replace|require|restore|restrict|roll|run|schedule|send|set|ship|show|split"
    "|stop|switch|tag|test|train|turn|update|upgrade|use|verify|warn|wire|write"
)
_HEAD = r"(?:(?:please|we|should|must|need|have|to|better|also|the|team|then|let's|let us|an?|further|ask|vendor)[ ])*"


def _begins(verbs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\s*{_HEAD}(?P<verb>{'|'.join(verbs)})\b", re.IGNORECASE)


_VAGUE = tuple(
    (_begins(verbs), fit, a_figure_helps)
    for table, a_figure_helps in ((_NEVER_DONE, False), (_NEVER_ENOUGH, True))
    for fit, verbs in table.items()
)
_SOFT_WORDS = tuple((re.compile(rf"\b(?:{words})\b", re.IGNORECASE), fit) for fit, words in _SOFT.items())
_OF_MANY = re.compile(r"\s*(?:audit|review|check|go through|walk through|revise|sort|clean up)\b", re.IGNORECASE)
"""A verb about many things: a list of them shows that it is done."""
_FIND_OUT = re.compile(
    r"\b(?P<verb>find out|figure out|look into|investigate) (?:why|what|how|if|whether|where|which|who)\b",
    re.IGNORECASE,
)
_THEN_CONCRETE = re.compile(rf"(?:[:;,.]|\b(?:and|then|by)\b)\s*(?:then |to )?(?:{_CONCRETE})(?:ing)?\b", re.IGNORECASE)
_HOW_FAR = re.compile(
    r"\d[\d.,]*\s?(?:%|ms|s|m|h|min|minutes?|hours?|seconds?|days?|weeks?|x|times|gb|mb|tb|per)(?!\w)"
    r"|\b(?:every|all|each|no|none|zero|any|both)\b|\b(?:to|under|below|above|over|within|least|most|than)[ ]\d",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d")
_UNTIL = re.compile(r"\b(?:until|while|so that|because|since)\b.*", re.IGNORECASE | re.DOTALL)

_NAMES_A_THING = re.compile(
    r"(?:\s|[-*\u2022>]\s|\[[^\]\n]{0,20}\]|[\w./-]{1,30}:\s|(?:please|todo|also|then|finally|first)[\s:,])*"
    r"(?:(?:an?|another|one|two|the)\s"
    r"|(?:better|faster|quicker|safer|stricter|clearer|stronger|tighter|more|fewer|additional|extra|new"
    r"|second(?! (?:the|this|that)\b)|dedicated|separate|emergency|improved|automatic|automated|proper|regular"
    r"|quarterly|monthly|weekly|daily|nightly|central|shared|staged|redundant|manual|independent)\s"
    r"|(?P<noun>runbooks?|playbooks?|checklists?|monitoring|alerting|alerts|alarms|dashboards?|documentation|docs|tests"
    r"|backups|training|redundancy|capacity|tooling|guidelines?|rate limit(?:s|ing)|timeouts?|time-outs|limits|retries"
    r"|quotas?|failovers?|canar(?:y|ies)|observability|visibility|polic(?:y|ies)|procedures?|game ?days?"
    r"|health ?checks?|circuit breakers?|feature flags?|integration tests?|load tests?|smoke tests?|status page)\b"
    r"|(?!(?:dispose|think|approve|speak|beware|instead|because|most|some|none|each)\b)\w{4,30} of\s)",
    re.IGNORECASE,
)
"""How an item begins that names a thing: an article, an adjective, a noun that is no verb, `rotation of`."""
_ADVERB_TOO = re.compile(r"\W*(?:better|first|second|more|new)\s+$", re.IGNORECASE)
_VERBS_TEXT = (
    "accept add adjust agree alarm alert allow analyse announce answer apply approve archive ask assign attach "
    "audit automate avoid back become begin block bring build call cap catch change check choose clean clear "
    "close collect compare configure confirm connect control convert copy cover create cut decide define delete "
    "deliver deploy detect disable display do document drain drop dump encrypt end enforce ensure escalate expire "
    "explain export extend fail fetch fill filter find finish fire fix flag flush follow force get give go guard "
    "handle have help hide hold identify ignore improve include increase inform install introduce isolate join "
    "keep kill know last launch lead learn leave let limit list load lock log look lose make manage map match "
    "mean measure merge migrate monitor move need notice notify offer open own page pass pause pay perform pick "
    "pin place plan prevent print prove provide publish pull push put raise reach read rebuild receive record "
    "recover reduce refuse reject release reload remember remind remove rename renew repair repeat replace "
    "replicate report require reserve reset resize resolve respond restart restore restrict return review revoke "
    "ring roll rotate run save say scale scan schedule see select send separate serve set share ship show shut "
    "sign silence skip spread stage start state stay stop store submit suppress survive switch tag take tell test "
    "throttle time track train trigger turn undo unlock update upgrade use validate verify wait wake warn watch "
    "win work wrap write"
)
_VERBS = frozenset(_VERBS_TEXT.split())
"""Verbs of which one, past the first words, makes a sentence. Most are nouns too: then the item is left alone."""
_FINITE = re.compile(
    r"\b(?:is|are|was|were|be|must|should|shall|can|cannot|can't|may|will|won't|has|had|does|don't|doesn't"
    r"|no longer|goes)\b",
    re.IGNORECASE,
)
_SUBORDINATE = re.compile(
    r"\b(?:to|that|which|who|where|when|if|so|for|before|after|until|while|because|how)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_OTHER_LANGUAGE = re.compile(
    r"[äöüßéèêàçñ]|\b(?:der|die|das|den|dem|und|mit|von|bei|auf|nicht|ein|eine|zu|zur|zum|im|pro|le|la|les|des|une"
    r"|pour|et|avec|dans|du|sur|sans|el|los|las|una|para|con|por|il|di|della|het|een|voor)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z][\w'-]*")

_DETECTS = re.compile(
    r"\b(?:alert|alerts|alerting|alarm|alarms|page|pages|pager|paging|monitor|monitors|monitoring|dashboard|dashboards"
    r"|graph|graphs|watch|metric|metrics|logging|log|logs|probe|probes|notify|notification|notifications|detect|detection"
    r"|observability|tracing|status page|warn|warning|visibility|report|reports)\b",
    re.IGNORECASE,
)
_NOTICES = re.compile(
    r"\b(?:alert\w*|alarm\w*|(?<!status )(?<!error )(?<!login )(?<!web )(?<!the )pag(?:e|es|er|ing)"
    r"|monitor\w*|dashboards?|graphs?|watch\w*|metrics?|probes?|notif(?:y|ies|ied|ication)\w*"
    r"|detect\w*|observab\w*|tracing|warn\w*|visib\w*|synthetics?|health ?checks?|heartbeats?|measur\w*|slos?)\b"
    r"|\b\u00fcberwach\w*|\bwarn\w*|\bsurveill\w*|\balert\w*",
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
        fix = material.slash(f"actionitem assign {numbers[0]} me")
        yield at_items(numbers), "Nobody has it" if len(numbers) == 1 else "Nobody has them", fix


def dates(material: Material) -> Advice:
    """Open items without a due date."""
    undated = [item for item in _open(material) if item.due_on is None]
    if undated:
        first = undated[0]
        yield (
            at_items(item.number for item in undated),
            "No due date",
            material.slash(f"actionitem due {first.number} friday"),
        )


def vague(material: Material) -> Advice:
    """Open items whose verb has no end, and that name nothing concrete after it."""
    for item in _open(material):
        found = _vague_verb(item)
        if found:
            verb, fit = found
            yield at_items([item.number]), f"{_quote(item)}: “{verb}” has no end to reach", fit


def verbs(material: Material) -> Advice:
    """Open items that name a thing and not what is done about it."""
    for item in _open(material):
        if has_no_verb(_words(item)) and not _vague_verb(item):
            reason = f"{_quote(item)} names a thing, and no verb says what is done"
            soft = _soft_word(item)
            fix = "Begin with what is done: “add …”, “write …”, “build …”"
            yield (
                at_items([item.number]),
                f"{reason}; how will one know that it is “{soft[0]}”?" if soft else reason,
                f"{fix}. {soft[1]}" if soft else fix,
            )


def ends(material: Material) -> Advice:
    """Open items that say how something should be, but not how to verify it."""
    verbless = "verbs" in material.on
    for item in _open(material):
        soft = _soft_word(item)
        if soft and not _vague_verb(item) and not (verbless and has_no_verb(_words(item))):
            word, fit = soft
            yield at_items([item.number]), f"{_quote(item)}: how will one know that it is “{word}”?", fit


def prevention(material: Material) -> Advice:
    """No action item, or only items that would detect the incident sooner, and neither prevent nor limit it."""
    fix = material.slash("actionitem by friday: what keeps it from happening, or makes it smaller")
    if not material.items:
        yield "Action items", "There is none, so nothing changes yet", fix
    elif all(_DETECTS.search(item.text) and not _PREVENTS.search(item.text) for item in material.items):
        yield at_items(item.number for item in material.items), "They only notice it sooner; none prevents it", fix


def noticing(material: Material) -> Advice:
    """A customer who noticed first, and no item by which monitoring would; no items at all is `prevention`'s matter."""
    if material.document.lifecycle.detected_by != "customer" or any(
        _NOTICES.search(each.text) for each in material.items
    ):
        return
    if material.items or "prevention" not in material.on:
        entry = next(each for each in material.entries if each.kind == DETECTED)
        reason = "A customer noticed it first, and no action item lets monitoring notice it next time"
        yield at_entry(entry), reason, material.slash("actionitem by friday: alert on what the customer saw")


def has_no_verb(text: str) -> bool:
    """Whether an English item names a thing and says with no verb what is done: `faster rollback path`.

    Only an item that begins as a thing does, and in which no later word may be a verb but in what the thing is for.
    """
    line = text.strip().partition("\n")[0]
    begins = _NAMES_A_THING.match(line)
    if begins is None or "`" in line or _OTHER_LANGUAGE.search(line) or re.search(r"[:;,]\s", line[begins.end() :]):
        return False
    rest = _SUBORDINATE.sub("", line[begins.end() :])
    words = [word.lower() for word in _WORD.findall(rest)]
    if _FINITE.search(line) or any(map(_is_verb, words[0 if begins["noun"] else 1 :])):
        return False
    # `better test it`, `first add it`: the adjective is an adverb.
    return not (_ADVERB_TOO.search(line[: begins.end()]) and words[:1] and words[0] in _VERBS)


def _is_verb(word: str) -> bool:
    return any(each in _VERBS for each in (word, word.removesuffix("s"), word.removesuffix("es")))


def _words(item: ActionItem) -> str:
    """Its words without the label of what it is for, and without the criterion of its end."""
    return read_labels(item.text).text


def _has_end(item: ActionItem) -> bool:
    """Whether it says when it is done."""
    return bool(item.done_when or read_labels(item.text).done_when)


def _vague_verb(item: ActionItem) -> tuple[str, str] | None:
    """The verb without an end, and what fits instead."""
    text = _words(item)
    for pattern, fit, a_figure_helps in _VAGUE:
        match = pattern.match(text)
        if match and match["verb"].lower() == "better" and has_no_verb(text):
            continue
        if match and not _THEN_CONCRETE.search(text, match.end()):
            told = _has_end(item) or (a_figure_helps and _HOW_FAR.search(text))
            return None if told else (match["verb"], fit)
    later = _FIND_OUT.search(text)
    if later and not _has_end(item) and not re.search(rf"\b(?:{_CONCRETE})\b", text[: later.start()], re.IGNORECASE):
        return None if _THEN_CONCRETE.search(text, later.end()) else (later["verb"], _ANSWER_FIT)
    return None


def _soft_word(item: ActionItem) -> tuple[str, str] | None:
    """The first word that says how it should be and not how one knows, and what would show it."""
    text = _UNTIL.sub("", _words(item))
    if _has_end(item) or _FIGURE.search(item.text):
        return None
    found = [(match, fit) for pattern, fit in _SOFT_WORDS if (match := pattern.search(text))]
    if not found:
        return None
    match, fit = min(found, key=lambda each: each[0].start())
    return match[0], _LIST_FIT if _OF_MANY.match(_words(item)) else fit
