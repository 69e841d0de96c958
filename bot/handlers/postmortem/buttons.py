"""The buttons under the draft's message, and what each stands for; their value is the incident."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from bot.handlers.incident.incidents import get_current
from bot.handlers.permission import require_permission
from bot.handlers.postmortem import checks, edits, interview, publishing
from bot.handlers.request import Button, Reply, Request
from bot.vocabulary import POSTMORTEM, REVIEW

EDIT, CHECK, PUBLISH, PLAN = "draft_edit", "draft_check", "draft_publish", "review_plan"
"""The actions; PLAN is also the form that its button opens."""


def of_draft(name: str, *, still_open: int) -> tuple[Button, ...]:
    """The buttons under the draft of the incident of that name; `still_open` counts its questions."""
    questions = "1 question" if still_open == 1 else f"{still_open} questions"
    labels = (
        (f"Answer {questions}" if still_open else "", interview.ANSWER),
        ("Edit", EDIT), ("Check", CHECK), ("Publish", PUBLISH), ("Plan review", PLAN),
    )  # fmt: skip
    return tuple(Button(label=label, action=action, value=name) for label, action in labels if label)


def _typed(handler: Callable[[Connection, Request], Reply]) -> Callable[[Connection, Request], Reply]:
    """The handler of a command, for the incident of the button and with no further words."""

    def pressed(connection: Connection, request: Request) -> Reply:
        number = int(request.parsed["incident"])
        return handler(connection, replace(request, command=POSTMORTEM.name, words="", named_number=number))

    return pressed


def _plan(connection: Connection, request: Request) -> Reply:
    """Open the form that plans the review."""
    incident = get_current(connection, request)
    require_permission(connection, request, incident, REVIEW)
    return Reply(text="", form=PLAN, fills={"incident": incident})


CLICKS: dict[str, Callable[[Connection, Request], Reply]] = {
    EDIT: _typed(edits.edit),
    CHECK: _typed(checks.check),
    PUBLISH: _typed(publishing.publish),
    PLAN: _typed(_plan),
    publishing.ANYWAY: publishing.publish_anyway,
}
"""The handler of each, but that of the interview."""
