"""Templates: which there are, and another one for an incident's postmortem."""

from sqlalchemy import Connection

from bot.documents import drafting
from bot.documents.rendering import slack
from bot.handlers.lookup import current, incident_number, word_and_named
from bot.handlers.postmortem.drafts import ask_for_draft, template_of
from bot.handlers.request import Reply, Request, first_word


def template(connection: Connection, request: Request) -> Reply:
    """`template NAME`: draft a new version in that template, and later ones too; without a name, list them."""
    word, rest = first_word(request.words)
    if not word or (incident_number(word) is not None and not rest):
        return _listing(connection, request)
    word, incident = word_and_named(connection, request)
    name = request.shelf.find(word)
    drafting.check(name, request.shelf)
    ask_for_draft(connection, request, incident, picked=name)
    return Reply(text=slack("drafting", incident=incident, name=name), public=True)


def _listing(connection: Connection, request: Request) -> Reply:
    incident = current(connection, request)
    names = request.shelf.names()
    return Reply(
        text=slack(
            "templates",
            request=request,
            templates=[(name, request.shelf.about(name)) for name in names],
            used=template_of(connection, request, incident.id) if incident else request.template,
        )
    )
