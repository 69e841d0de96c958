"""Forms: the message shortcut that opens one, and the submission that becomes a request."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from slack_bolt import Ack
from sqlalchemy import Connection

from bot.errors import FieldsError, UsageError
from bot.handlers.incident import backfill, conversations, doubts
from bot.handlers.items import buttons
from bot.handlers.postmortem import interview
from bot.handlers.postmortem.buttons import PLAN
from bot.handlers.postmortem.edits import CHOOSE, SAVE, WRITE
from bot.handlers.request import Reply, Request, SectionEdit
from bot.handlers.sources import lead_up
from bot.slack.context import NOT_SAVED, SlackContext
from bot.slack.inbound.messages import files_of, words_of
from bot.slack.inbound.payloads import Shortcut, Submission, SubmittedView
from bot.slack.inbound.requests import UNNAMED, instant_of_ts, iso
from bot.slack.outbound import blocks, home, modals
from bot.slack.outbound.modals import Origin, joined
from bot.slack.text import PlainText, to_handle
from bot.vocabulary import ADD_TO_TIMELINE, POSTMORTEM, REVIEW

STALE = "This form was opened by another version of Scribe and cannot be read. Copy your words, and open it anew."
_REPEATED = 9_000
"""Characters of what was typed into a long form that a message about it repeats."""
_log = logging.getLogger(__name__)


def shortcut(context: SlackContext, ack: Ack, payload: Shortcut) -> None:
    """*Add to timeline* on a message: open the form with the message's time and words."""
    message, channel, workspace_id = payload.message, payload.channel, payload.team.id
    words = context.requests.read(workspace_id, words_of(message)).words
    author_id, author = context.requests.author_of(workspace_id, message)
    origin = {
        "source": "shortcut",
        "reply_url": payload.response_url,
        "channel_id": channel.id,
        "channel_name": channel.name or UNNAMED,
        "said_at": message.ts,
        "thread_ts": message.thread_ts,
        "author_id": author_id,
        "author": author,
        "files": files_of(message) if context.requests.keeps_files else (),
        "permalink": context.identity.permalink(
            channel.id, message.ts, domain=payload.team.domain, thread_ts=message.thread_ts
        ),
    }
    form = modals.entry_form(words, said_at=instant_of_ts(message.ts), origin=origin)
    context.open_form(payload.trigger_id, form, context.requests.of_shortcut(payload, received_at=context.clock()))
    ack()


def submission(context: SlackContext, ack: Ack, payload: Submission, *, small: bool = False) -> None:
    """Handle a submitted form; a problem appears under its field, and the form stays open with the words.

    Where the ack must be `small`, a large form that follows is sent after it.
    """
    try:
        origin, request = _read(context, payload)
        thread = {"thread_ts": origin["thread_ts"]} if origin.get("thread_ts") else {}

        def post_reply(connection: Connection, reply: Reply) -> None:
            if origin.get(home.OPENED_HERE):
                home.refresh(connection, request.workspace_id, request.user_id, context.clock)
            elif reply.text:
                context.reply(connection, request, reply, thread)

        reply = context.offline.handle(request, post_reply, partial(context.reply_directly, request, thread))
        answer = modals.following(origin, reply)
        if small and blocks.size(answer) > blocks.SMALL_VIEW:
            answer = {"response_action": "update", "view": context.show_later(request, answer["view"])}
    except FieldsError as error:
        ack(**modals.field_errors(error.problems, payload.view))
    except UsageError as error:
        ack(**modals.errors(str(error), payload.view, _field(payload.view, str(error), context.clock())))
    except Exception:  # noqa: BLE001 - the boundary: the form stays open with the words
        _log.exception("form not saved")
        ack(**modals.errors(NOT_SAVED, payload.view, _field(payload.view, "", context.clock())))
    else:
        context.delivery.wake()
        ack(**answer)


def _read(context: SlackContext, payload: Submission) -> tuple[Origin, Request]:
    """The form's metadata and its request. Raises UsageError for a form that this version cannot read."""
    try:
        origin = json.loads(payload.view.private_metadata)
        return origin, _REQUESTS[payload.view.callback_id](context, payload, origin)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        _log.warning("form not readable: %s", type(error).__name__)
        raise UsageError(STALE) from None


def _field(view: SubmittedView, problem: str, now: datetime) -> str:
    """The field to show a problem under: a time in the future, the date or owner it begins with, else the words."""
    filled = modals.answers(view)
    chosen = filled.get("time")
    if chosen is not None and chosen > now.timestamp():
        return "time"
    if "due" in filled and ("words" not in filled or (filled["due"] and problem.startswith(filled["due"]))):
        return "due"
    about_owner = problem.startswith("@") or "words" not in filled
    return "owner" if about_owner and "owner" in filled else "words"


def _entry(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """An entry at the form's time, which precedes the words so that a time at their beginning does not count."""
    filled = modals.answers(payload.view)
    at = modals.moment(filled["time"], instant_of_ts(origin["said_at"]))
    words = PlainText(words=f"{iso(at)}: {filled['words'] or ''}")
    if filled["kind"] is None:
        raise ValueError("no kind chosen")
    return context.requests.of_form(payload, origin, filled["kind"], words, received_at=context.clock())


def _correction(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """A corrected entry, in the words of the command; its time precedes the words."""
    filled = modals.answers(payload.view)
    at = modals.moment(filled["time"], instant_of_ts(origin["said_at"]))
    words = PlainText(words=f"edit {origin['entry']} at {iso(at)}: {filled['words'] or ''}")
    return context.requests.of_form(payload, origin, "incident", words, received_at=context.clock())


def _backfill(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """A chronology, to be previewed."""
    words = PlainText(words=modals.answers(payload.view)["words"] or "")
    return context.requests.of_form(payload, origin, backfill.PREVIEW, words, received_at=context.clock())


def _previewed(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """The ticked lines of a chronology; previewed again where its words were changed meanwhile."""
    filled = modals.answers(payload.view)
    words = next(value for name, value in filled.items() if name.startswith("words")) or ""
    ticked = [value for name, values in filled.items() if name.startswith("lines") for value in values or ()]
    details = {"lines": ",".join(ticked), "now": origin["now"]} | (
        {"entry": str(origin["entry"])} if origin["entry"] else {}
    )
    unchanged = backfill.digest(words) == origin["digest"]
    command = backfill.RECORD if unchanged else backfill.PREVIEW
    return context.requests.of_form(
        payload, origin, command, PlainText(words=words), received_at=context.clock(), details=details
    )


def _lead_up(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """What was ticked of what came before an incident."""
    filled = modals.answers(payload.view)
    ticked = [value for name, values in filled.items() if name.startswith("lines") for value in values or ()]
    details = {lead_up.TICKED: ",".join(ticked)}
    return context.requests.of_form(
        payload, origin, lead_up.RECORD, PlainText(words=""), received_at=context.clock(), details=details
    )


def _chosen(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """The ticks of one page of a conversation, and what follows."""
    filled = modals.answers(payload.view)
    ticked = [value for name, values in filled.items() if name.startswith("lines") for value in values or ()]
    then = next(value for name, value in filled.items() if name.startswith("then"))
    details = {
        "token": str(origin["token"]),
        "page": str(int(origin["page"])),
        "lines": ",".join(str(int(each)) for each in ticked),
        "then": then if then == conversations.RECORD_ALL else str(int(then)),
    }
    return context.requests.of_form(
        payload, origin, conversations.CHOSEN, PlainText(words=""), received_at=context.clock(), details=details
    )


def _item(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """A new action item, in the words of the command."""
    filled = modals.answers(payload.view)
    name, people = _owner(context, payload.team.id, filled)
    head = (f"@{name}" if name else "", filled["kind"] or "", f"by {filled['due']}" if filled["due"] else "")
    words = " ".join((*(part for part in head if part), f": {filled['words'] or ''}"))
    words = f"{origin['named']} {words}" if origin.get("named") else words
    return context.requests.of_form(
        payload,
        origin,
        "actionitem",
        PlainText(words=words, people=people),
        received_at=context.clock(),
        details={name: filled[name] for name in ("priority", "done_when") if filled.get(name)},
    )


def _owner(context: SlackContext, workspace_id: str, filled: Mapping[str, Any]) -> tuple[str | None, dict[str, str]]:
    """The handle of the person or team chosen as owner, and the user id behind it."""
    if filled["owner"] is None:
        return (to_handle(filled["team"]) if filled.get("team") else None), {}
    member = context.members.look_up(workspace_id, filled["owner"])
    name = to_handle(member.name if member else filled["owner"])
    return name, {name: filled["owner"]}


def _assign(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """*Reassign*, in the words of the command."""
    name, people = _owner(context, payload.team.id, modals.answers(payload.view))
    words = PlainText(words=f"assign {origin['item']} @{name}", people=people)
    return context.requests.of_form(payload, origin, "actionitem", words, received_at=context.clock())


def _date(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """*New date*, in the words of the command."""
    words = PlainText(words=f"due {origin['item']} {modals.answers(payload.view)['due'] or ''}")
    return context.requests.of_form(payload, origin, "actionitem", words, received_at=context.clock())


def _drop(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """*Drop*, in the words of the command."""
    why = modals.answers(payload.view)["words"] or ""
    words = PlainText(words=f"drop {origin['item']} {why}")
    return context.requests.of_form(payload, origin, "actionitem", words, received_at=context.clock())


def _choice(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """The section to edit, in the words of the command."""
    words = PlainText(words=f"edit INC-{origin['incident']} {modals.answers(payload.view)['words']}")
    return context.requests.of_form(payload, origin, POSTMORTEM.name, words, received_at=context.clock())


def _edit(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """A section's new text, joined from the form's inputs."""
    texts = [text or "" for text in modals.answers(payload.view).values()]
    edit = SectionEdit(
        key=origin["key"],
        version=origin["version"],
        text=joined(texts, origin["joints"]),
        erasures=origin.get("erasures"),
    )
    request = context.requests.of_form(payload, origin, SAVE, PlainText(words=""), received_at=context.clock())
    return replace(request, incident_number=origin["incident"], edit=edit)


def _planned(context: SlackContext, payload: Submission, origin: Origin) -> Request:
    """A planned review, in the words of the command; in the person's own zone, where that is known."""
    filled = modals.answers(payload.view)
    request = context.requests.of_form(
        payload, origin, POSTMORTEM.name, PlainText(words=""), received_at=context.clock()
    )
    local = datetime.fromtimestamp(filled["time"], request.zone if request.zone_known else UTC)
    zone = "" if request.zone_known else " UTC"
    return replace(request, words=f"{REVIEW} {local:%Y-%m-%d %H:%M}{zone} for {filled['length']}")


def _answers(command: str) -> Callable[[SlackContext, Submission, Origin], Request]:
    """A form of the interview: what was entered there, by field. People are told by name, their ids go along."""

    def read(context: SlackContext, payload: Submission, origin: Origin) -> Request:
        entered, people = dict[str, Any](), dict[str, str]()
        for actions in payload.view.state.values.values():
            for name, each in actions.items():
                answer = each.answer
                if each.selected_user is not None:
                    member = context.members.look_up(payload.team.id, each.selected_user)
                    handle = to_handle(member.name if member else each.selected_user)
                    people[handle], answer = each.selected_user, f"@{handle}"
                answer = answer.strip() if isinstance(answer, str) else answer
                if answer:
                    entered[name] = answer
        typed = [str(each) for name, each in entered.items() if name.startswith(interview.TYPED)]
        request = context.requests.of_form(
            payload,
            origin,
            command,
            PlainText(words=blocks.clip("\n".join(typed), _REPEATED), people=people),
            received_at=context.clock(),
            details={interview.ANSWERS: json.dumps(entered)},
        )
        return replace(request, named_number=request.incident_number)

    return read


_REQUESTS: dict[str, Callable[[SlackContext, Submission, Origin], Request]] = {
    ADD_TO_TIMELINE: _entry,
    modals.ACTION_ITEM: _item,
    doubts.CORRECT: _correction,
    backfill.FORM: _backfill,
    backfill.PREVIEW: _previewed,
    conversations.CHOOSE: _chosen,
    CHOOSE: _choice,
    WRITE: _edit,
    lead_up.FORM: _lead_up,
    PLAN: _planned,
    interview.MILESTONES: _answers(interview.MILESTONES),
    interview.QUESTIONS: _answers(interview.QUESTIONS),
    buttons.ASSIGN: _assign,
    buttons.DATE: _date,
    buttons.DROP: _drop,
}
