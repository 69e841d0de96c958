"""The postmortem's interview: its forms, and the answers as the entries and changes they are, in one transaction."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.postmortem import interview
from bot.domain.postmortem.interview import Answers, Field, Interview, TypedAnswer
from bot.domain.postmortem.questions import asked
from bot.errors import FieldsError, UsageError
from bot.handlers.incident import which
from bot.handlers.incident.incidents import get_current, get_named, get_numbering
from bot.handlers.postmortem.drafts import enqueue_draft, load_document
from bot.handlers.request import MENTION, Control, Reply, Request, Row
from storage import incidents, postmortems, receipts, timeline
from storage.values import Incident

ANSWER = "answer_questions"
"""The action of the button that opens the interview; the value is the incident."""
MILESTONES, QUESTIONS = "answer_milestones", "answer_open"
"""The two forms, in turn, and the actions of submitting them."""
ANSWERS = "answers"
"""Under which of a request's `details` what was entered stands, as JSON."""
TYPED = ("fact-", "words-")
"""How the names of the fields begin that hold words."""
MOST_ENTRIES = 2_000
"""Entries of an incident up to which its form is made within an answer."""
SHOWN = 10
"""Recorded answers that the receipt lists."""

_DIGEST = 16

Say = Callable[[Connection, Request], Reply]
"""Carries out a request as if it had been typed."""


def answer(connection: Connection, request: Request) -> Reply:
    """`answer [INC-12]`: open the form of the milestones; submitting it opens that of the open questions."""
    incident, rest = get_named(connection, request, plain=True)
    if rest.strip():
        raise UsageError(f"Which incident? Try: {request.slash('postmortem')} answer {incident.name}")
    if request.source == MENTION:
        # A message event has no trigger_id, which Slack requires to open a form.
        raise UsageError(
            f"A form opens in the channel, from /{request.settings.prefix}postmortem answer {incident.name}"
        )
    return _open(connection, request, incident)


def open_form(connection: Connection, request: Request) -> Reply:
    """`INC-12`, of a button: the same."""
    number = int(request.parsed["incident"])
    return _open(connection, request, get_current(connection, replace(request, named_number=number)))


def _open(connection: Connection, request: Request, incident: Incident) -> Reply:
    fields = interview.milestone_fields(_told(connection, request, incident))
    if fields:
        return _form(connection, request, incident, MILESTONES, fields, Reply(text=""))
    return _questions(connection, request, incident, Reply(text=slack("unasked", incident=incident)))


def _questions(connection: Connection, request: Request, incident: Incident, reply: Reply) -> Reply:
    """The reply with the form of the open questions; as it is where there are none."""
    fields = interview.question_fields(_told(connection, request, incident))
    return _form(connection, request, incident, QUESTIONS, fields, reply) if fields else reply


def _form(
    connection: Connection, request: Request, incident: Incident, form: str, fields: tuple[Field, ...], reply: Reply
) -> Reply:
    if not request.is_member:
        # The words of an entry may name incidents that others do not see.
        fields = tuple(_masked(connection, request, incident, each) for each in fields)
    return replace(reply, form=form, fills={"incident": incident, "fields": fields})


def _masked(connection: Connection, request: Request, incident: Incident, field: Field) -> Field:
    def shown(text: str) -> str:
        return which.mask(connection, request, text, about=incident.name)

    options = tuple((value, shown(label)) for value, label in field.options)
    return replace(field, label=shown(field.label), hint=shown(field.hint), options=options)


def _told(connection: Connection, request: Request, incident: Incident) -> Interview:
    if timeline.has_more_than(connection, incident.id, MOST_ENTRIES):
        raise UsageError(
            f"{incident.name} has more than {MOST_ENTRIES:,} entries, too many for a form. Its draft lists each "
            "question with the command that answers it."
        )
    _, document = load_document(connection, incident.id, prefix="", look_again_days=request.settings.cadence.worked)
    newest = postmortems.newest(connection, incident.id)
    facts = None if newest is None else [fact for _, fact, _, _ in asked(newest.shown) if fact is not None]
    entries = timeline.of_incident(connection, incident.id)
    return interview.told(document, entries, facts, request.zone if request.zone_known else None)


def record_milestones(connection: Connection, request: Request, say: Say) -> Reply:
    """Record the corrected and the missing milestones; the form of the open questions follows, which rests on them.

    Submitted again as it was, it records nothing more: its key is of the form and of what was entered there.
    """
    incident = get_numbering(connection, request, lock=True)
    entered = hashlib.sha256(request.details[ANSWERS].encode()).hexdigest()[:_DIGEST]
    key = f"{request.key}:{entered}"
    if receipts.find(connection, request.workspace_id, key) is not None:
        return _questions(connection, request, incident, Reply(text="", about=incident.name))
    receipts.save(connection, request.workspace_id, key, Reply(text="").to_json(), at=request.received_at)
    return _questions(connection, request, incident, _record(connection, request, incident, say))


def record_answers(connection: Connection, request: Request, say: Say) -> Reply:
    """Record the answers to the open questions."""
    return _record(connection, request, get_numbering(connection, request, lock=True), say)


def _record(connection: Connection, request: Request, incident: Incident, say: Say) -> Reply:
    """Carry out what each answer stands for, and have the draft follow, once.

    Raises FieldsError with all that is wrong, by field; then nothing is recorded.
    """
    answers: Answers = json.loads(request.details[ANSWERS])
    told = _told(connection, request, incident)
    wrong = interview.problems(answers, told)
    done: list[tuple[TypedAnswer, Reply]] = []
    for step in interview.steps(answers, told):
        try:
            done.append((step, say(connection, _as_typed(request, incident, step))))
        except UsageError as error:
            wrong.setdefault(step.field, str(error))
    if wrong:
        raise FieldsError(wrong)
    if not done:
        return Reply(text="", about=incident.name)
    _redraft(connection, request, incident)
    return _receipt(request, incident, done)


def _as_typed(request: Request, incident: Incident, step: TypedAnswer) -> Request:
    return replace(
        request, command=step.command, words=step.words, incident_number=incident.number, named_number=None,
        key=None, details={},
    )  # fmt: skip


def _redraft(connection: Connection, request: Request, before: Incident) -> None:
    """Request the next version, unless there is no draft to follow; an incident that is resolved by this has one."""
    incident = incidents.by_id(connection, before.id)
    drafted = postmortems.newest(connection, incident.id) is not None or not incident.open
    if drafted and incident.open == before.open and incident.closed_as is None:
        if request.channel_id != incident.channel_id:
            request = replace(request, channel_id=incident.channel_id, reply_url=None)
        enqueue_draft(connection, request, incident)


def _receipt(request: Request, incident: Incident, done: list[tuple[TypedAnswer, Reply]]) -> Reply:
    """The receipts of all answers as one: their first lines; in full those that ask something."""
    replies = [reply for _, reply in done]
    head = slack("answered", incident=incident, request=request, count=len(done))
    first = [f"• {reply.text.partition(chr(10))[0]}" for reply in replies[:SHOWN]]
    more = slack(
        "answered_more", incident=incident, request=request, more=len(done) - SHOWN,
        meanwhile=[step.meanwhile for step, _ in done if step.meanwhile],
    )  # fmt: skip
    text = "\n".join(part for part in (head, *first, more) if part)
    asking = [(reply, _questioning(reply)) for reply in replies if _questioning(reply)][:SHOWN]
    rows = tuple(Row(text=reply.text, controls=controls) for reply, controls in asking)
    return Reply(
        text=text,
        public=all(reply.public for reply in replies),
        rows=(Row(text=text), *rows) if rows else (),
        about=incident.name,
    )


def _questioning(reply: Reply) -> tuple[Control, ...]:
    return tuple(each for each in reply.buttons if each.action != ANSWER)
