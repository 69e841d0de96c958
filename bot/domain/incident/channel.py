"""The name, the purpose and the people of an incident's own channel."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from storage.values import Incident, TimelineEntry

NAME_LENGTH, PURPOSE_LENGTH = 80, 250
"""Characters of a channel's name and purpose. Source: Slack, conversations.create and conversations.setPurpose."""
MOST_NAMES = 9
"""Names that are tried, of which others may have taken some."""
_TITLE_LENGTH = 50
_OTHER = re.compile(r"[^a-z0-9]+")


def channel_name(incident: Incident, *, attempt: int = 1) -> str:
    """`inc-12-checkout-fails`: lower case, without signs that Slack refuses; the second attempt ends in `-2`.

    The title of a private incident is left out: a channel's name is seen in more places than its words.
    """
    words = "" if incident.private else _slug(incident.title)
    suffix = f"-{attempt}" if attempt > 1 else ""
    return f"inc-{incident.number}-{words}".strip("-")[: NAME_LENGTH - len(suffix)].rstrip("-") + suffix


def channel_names(incident: Incident) -> Iterator[str]:
    """The names to try, in order; after those with the title one without it."""
    for attempt in range(1, MOST_NAMES + 1):
        yield channel_name(incident, attempt=attempt)
    yield f"inc-{incident.number}-own"


def _slug(title: str) -> str:
    """The title's letters and figures in ASCII, words joined by hyphens, cut at a word."""
    plain = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    slug = _OTHER.sub("-", plain).strip("-")
    if len(slug) <= _TITLE_LENGTH:
        return slug
    return slug[: _TITLE_LENGTH + 1].rpartition("-")[0] or slug[:_TITLE_LENGTH]


def purpose(incident: Incident) -> str:
    """What the channel is for; by it Scribe knows a channel of its own making."""
    words = incident.name if incident.private else f"{incident.name}: {incident.title}"
    return f"{words} (made by Scribe)" if len(words) < PURPOSE_LENGTH - 20 else words[: PURPOSE_LENGTH - 1] + "…"


def people_of(
    incident: Incident, entries: Iterable[TimelineEntry], named: Mapping[str, str], *others: str
) -> tuple[str, ...]:
    """The user ids of who belongs into the channel: who declared and leads it, who recorded something, `others`.

    So does everybody who is named in its words, or in its title by one of the names `named` (ids by name); but not in a
    private incident: to be spoken of is not to be let in.
    """
    entries = [entry for entry in entries if not entry.retracted]
    found = [incident.declared_by_id, incident.lead_id, *others]
    for entry in entries:
        found += [entry.recorded_by_id, entry.author_id]
    if not incident.private:
        found += [user_id for entry in entries for user_id in entry.people.values()]
        found += [user_id for name, user_id in named.items() if f"@{name}" in incident.title]
    return tuple(dict.fromkeys(each for each in found if each and each.startswith(("U", "W"))))
