"""What a kind of source is: how its payload is read, how it signs, and what it is called.

To add one: a file with its SOURCE, a row in `kinds.py`, a template that says how to set it up, a section in
`deploy/SOURCES.md`, and examples in its test. A parser is pure. It reads what it needs and ignores the rest; what does
not fit is told to whoever sets the source up, by the path of the field and without its value.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from storage.values import ALERT, CHANGE, Signal

MOST_TITLE, MOST_TEXT, MOST_LABELS, MOST_LABEL, MOST_LINK = 200, 600, 20, 100, 1000
"""Characters of a title and a text that are kept, labels, characters of a label's value, characters of a link."""
MOST_SIGNALS = 1000
"""Signals of one payload; Alertmanager groups by far fewer."""
FIRST_AT = datetime(1970, 1, 1, tzinfo=UTC)
"""No source has a signal of before."""
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_NO_PART_OF_LINKS = {ord(each): f"%{ord(each):02X}" for each in '<>|"`\\^{}'}
"""What RFC 3986 lets stand in no address. In Slack's links `|` begins the words that are shown."""
_MOST_PROBLEMS = 3
_SHORT_REVISION = 7

Headers = Mapping[str, str]
"""The request's headers by lower-case name."""


class UnreadablePayloadError(Exception):
    """The payload is not what the source sends; the message says which field, and quotes no value."""


class ReadPayload(Protocol):
    """A parser."""

    def __call__(self, payload: Any, headers: Headers, /, *, now: datetime) -> Sequence[Signal]:
        """The signals of a payload, none where it tells of something else. Raises UnreadablePayloadError."""


SignatureProblem = Callable[[str, bytes, Headers, datetime], str | None]
"""Why a body is not signed with the secret, given its headers and the time; None where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A kind of source, called `name` in addresses and `label` where people read it.

    `kind` is what it tells: alerts or changes. `version` says what it is read from, for whoever sends another.
    `confirmation` finds the address that a payload wants to be asked for before the source sends anything else.
    """

    name: str
    label: str
    read: ReadPayload
    version: str
    kind: str = ALERT
    signature: SignatureProblem | None = None
    confirmation: Callable[[Any], str | None] | None = None


class Payload(BaseModel):
    """A part of a vendor's payload: the fields that are read, under their own names; the rest is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


Shape = TypeVar("Shape", bound=Payload)
_INSTANT: TypeAdapter[datetime] = TypeAdapter(datetime)


def shaped(shape: type[Shape], payload: Any) -> Shape:
    """The payload as that shape. Raises UnreadablePayloadError naming the first fields that do not fit."""
    try:
        return shape.model_validate(payload)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
        told = [f"{'.'.join(map(str, each['loc'])) or 'the payload'}: {each['msg']}" for each in found]
        raise UnreadablePayloadError("; ".join(told[:_MOST_PROBLEMS])) from None


def instant(value: str | float, field: str) -> datetime:
    """An instant in ISO 8601 or as seconds or milliseconds since 1970; without a zone it is UTC.

    Raises UnreadablePayloadError, naming the field, for anything else.
    """
    try:
        found = _INSTANT.validate_python(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValidationError, OverflowError):
        raise UnreadablePayloadError(f"{field}: no time; write 2026-03-12T14:02:03.250Z") from None


def clean(text: str, most: int) -> str:
    """The text on one line, without what no database stores, at most so long."""
    line = " ".join(_UNSTORABLE.sub("", text).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def signal(
    source: str,
    *,
    fingerprint: str,
    title: str,
    at: datetime,
    now: datetime,
    kind: str = ALERT,
    ended_at: datetime | None = None,
    fired: bool = True,
    once: bool = False,
    text: str = "",
    service: str | None = None,
    link: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> Signal:
    """A signal of what a stranger sent: cut to size, and at no time that is still to come.

    A time before FIRST_AT, such as the zero of Go in the year 1, says that the source knows none: it is now.
    """
    tidy = {clean(name, MOST_LABEL): clean(value, MOST_LABEL) for name, value in (labels or {}).items() if value}
    link = clean((link or "").translate(_NO_PART_OF_LINKS), MOST_LINK + 1)
    safe = len(link) <= MOST_LINK and link.startswith(("https://", "http://")) and " " not in link
    is_known = at >= FIRST_AT
    at = min(at, now) if is_known else now
    return Signal(
        source=source,
        kind=kind,
        fingerprint=_UNSTORABLE.sub("", fingerprint),
        title=clean(title, MOST_TITLE) or "without a name",
        occurred_at=at,
        ended_at=None if ended_at is None else max(at, min(ended_at, now)),
        fired=fired,
        once=once or not is_known,
        text=clean(text, MOST_TEXT),
        service=clean(service or "", MOST_LABEL) or None,
        link=link if safe else None,
        labels=dict(list(tidy.items())[:MOST_LABELS]),
    )


def change(
    source: str,
    *,
    fingerprint: str,
    title: str,
    at: datetime,
    now: datetime,
    service: str,
    link: str | None,
    failed: bool = False,
) -> tuple[Signal]:
    """The signal of a change in a service; the title says of one that failed that it did."""
    return (
        signal(
            source,
            kind=CHANGE,
            fingerprint=fingerprint,
            title=f"{title}, which failed" if failed else title,
            at=at,
            now=now,
            service=service,
            link=link,
        ),
    )


def short_revision(revision: str) -> str:
    """A commit's hash, as short as people write it."""
    return revision[:_SHORT_REVISION]
