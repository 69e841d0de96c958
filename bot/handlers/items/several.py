"""Several action items in one command: each is done on its own, and one answer tells of all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from bot.documents.escaping import slack as escape
from bot.domain.items.references import Reference, references
from bot.errors import UsageError
from bot.handlers.incident.which import tell_both
from bot.handlers.request import Reply, Request, Row, without_secrets

_Handler = Callable[[Connection, Request], Reply]
_Count = Callable[[list[Reference], date], int]


def named(request: Request) -> Request:
    """The request with the first item's incident out of its words, however it is written: `INC-1#3`, `inc1 item 3`."""
    first = next(iter(references(request.words)), None)
    if first is None or first.incident is None or request.incident_number is not None:
        return request
    return replace(request, named_number=first.incident, words=first.tail)


def each(handler: _Handler, count: _Count) -> _Handler:
    """The handler of one item, for all that the words name; `count` says how many of the numbers are items.

    Those for which it is refused are told beside the others. Raises UsageError where it is refused for all.
    """

    def handle(connection: Connection, request: Request) -> Reply:
        found = references(request.words)
        chosen = found[: count(found, request.now.astimezone(request.zone).date())]
        if not chosen:
            return handler(connection, request)
        one = [_of(request, reference, chosen[-1].rest) for reference in chosen]
        if len(set(map(_key, one))) == 1:
            return handler(connection, one[0])
        return _together(connection, handler, list({_key(each): each for each in one}.values()))

    return handle


def _key(request: Request) -> tuple[int | None, str]:
    return request.named_number, request.words


def _of(request: Request, reference: Reference, rest: str) -> Request:
    number = request.named_number if reference.incident is None else reference.incident
    return replace(request, named_number=number, words=f"{reference.number} {rest}".strip())


def _together(connection: Connection, handler: _Handler, one: list[Request]) -> Reply:
    replies: list[tuple[Request, Reply]] = []
    problems: list[str] = []
    for each in one:
        try:
            replies.append((each, handler(connection, each)))
        except UsageError as error:
            problems.append(str(error))
    if not replies:
        raise UsageError("\n".join(dict.fromkeys(problems)))
    public = all(reply.public for _, reply in replies)
    if len({each.named_number for each in one}) > 1:
        # Of several incidents, each is told what is its own, and the person all of it.
        replies = [(each, _told_there(connection, each, reply)) for each, reply in replies]
        public = False
    rows = tuple(Row(text=reply.text, controls=reply.buttons) for _, reply in replies)
    rows += tuple(Row(text=escape(problem)) for problem in dict.fromkeys(problems))
    text = "\n".join(row.text for row in rows)
    return Reply(text=text, public=public, rows=rows)


def _told_there(connection: Connection, request: Request, reply: Reply) -> Reply:
    shown = replace(reply, text=without_secrets(reply.text))
    return tell_both(connection, request, shown) if request.named_number is not None and reply.public else shown
