"""What is read of people's words takes time in proportion to their length, however they are repeated.

Compared are two lengths by CPU time, so that a busy machine fails nothing: four times the words may take nine times as
long, where a pattern that starts again at each place takes sixteen times.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.documents import escaping, markup
from bot.domain.check import blame, quoting
from bot.domain.incident import chronology, conversation, figures, impact, proposals, secrets, signs, topics
from bot.domain.items import due, item, labels, references
from bot.domain.postmortem import causes, manuscript, redaction, third_person
from bot.domain.report.period import parse_period
from bot.domain.review.meeting import parse_plan
from bot.domain.time.typed import mentioned_time, take_time
from bot.errors import UsageError
from bot.slack import text

NOW, TODAY = datetime(2026, 11, 26, 13, 4, tzinfo=UTC), date(2026, 11, 26)
ZONE, OWN = ZoneInfo("UTC"), frozenset({"CET"})
SHORT, LONG = 1_000, 4_000
"""Characters."""
MOST_TIMES, LITTLE_S = 9.0, 0.03
"""By how much the longer may take longer, unless that is little."""
PIECES = (
    "a", "a ", "a-", "a.", "a/", "@a ", "@", "<@U1", "[a](", "(", "`", '"', "\u201c", "\n", "1", "1 ", "1.", "$1 ",
    "by 1", "#1 ", "https://a.b/", "token=", " ", ":", "x: ", "*", "_", "I ", "-", "\\", "=", "\u200b", "; ", "<!--",
    "the ", ", ",
)  # fmt: skip
READ: dict[str, Callable[[str], object]] = {
    "secrets": secrets.secrets_in,
    "figures": figures.figures,
    "impact": lambda words: (impact.share(words), impact.aspects(words), impact.says_how_many(words)),
    "topics": topics.topic,
    "chronology": chronology.is_chronology,
    "conversation": lambda words: (
        conversation.parse_span(words, now=NOW, zone=ZONE),
        conversation.parse_conversation(f"alice  14:02\n{words}", now=NOW, zone=ZONE),
    ),
    "signs": lambda words: list(signs.signs_of(words)),
    "proposals": lambda words: proposals.parse_proposals(f"<!-- scribe backfill of INC-1 -->\n{words}"),
    "item": lambda words: item.parse_item(words, today=TODAY),
    "labels": labels.read_labels,
    "references": references.references,
    "dates": lambda words: (due.read_dates(words, today=TODAY), due.vague_dates(words, today=TODAY)),
    "third person": third_person.third_person,
    "links": redaction.without_links,
    "money": lambda words: redaction.without_money(words, impact_line=True),
    "slips": causes.slip,
    "manuscript": lambda words: manuscript.parse_manuscript(words, {}),
    "time": lambda words: take_time(words, OWN),
    "mentioned time": lambda words: mentioned_time(words, OWN),
    "quotations": quoting.mask_quotations,
    "blame": blame.candidate_rows,
    "period": lambda words: parse_period(words, now=NOW, zone=ZONE),
    "plan": lambda words: parse_plan(words, people={}, now=NOW, zone=ZONE),
    "Markdown": escaping.markdown,
    "HTML": markup.html,
    "Slack's text": text.plain_text,
}


def cpu_s(read: Callable[[str], object], words: str) -> float:
    """Seconds of this thread alone."""
    begun_s = time.thread_time()
    with suppress(UsageError):
        read(words)
    return time.thread_time() - begun_s


@pytest.mark.parametrize("name", READ)
def test_words_of_any_kind_take_time_in_proportion_to_their_length(name: str) -> None:
    read, slow = READ[name], {}
    cpu_s(read, "x")
    for piece in PIECES:
        short, long = (piece * (length // len(piece)) for length in (SHORT, LONG))
        took_s = cpu_s(read, long)
        # Once more where it may be by chance: the machine's memory and clock are shared.
        if took_s > LITTLE_S and min(took_s, cpu_s(read, long)) > MOST_TIMES * (least_s := cpu_s(read, short)):
            slow[piece] = (least_s, took_s)
    assert not slow
