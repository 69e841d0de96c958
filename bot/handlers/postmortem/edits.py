"""Edits: a section as a person wants it, brought together with what others saved meanwhile."""

from sqlalchemy import Connection

from bot.documents.escaping import visible
from bot.documents.rendering import slack
from bot.domain.postmortem.merge import Merged, MergeOptions, merge
from bot.domain.postmortem.redraft import conflicts_by_heading, rewritten
from bot.domain.words import closest_match
from bot.errors import UsageError
from bot.handlers.lookup import get_current, get_named
from bot.handlers.request import Reply, Request, SectionEdit
from storage import postmortems
from storage.values import Incident, Postmortem, Section

CHOOSE, WRITE, SAVE = "choose_section", "write_section", "save_section"
"""The form that asks which section, the one that holds its text, and what sending that off does."""

MINE = "As you wrote it"
ASKED = 30_000
"""Characters up to which a conflict goes back to the person in the form. A longer text is saved with both versions."""


def edit(connection: Connection, request: Request) -> Reply:
    """`edit [INC-12] [section]`: the form with that section's text; without a section, the form that asks which."""
    incident, words = get_named(connection, request)
    newest = postmortems.newest(connection, incident.id)
    if newest is None:
        raise UsageError(f"{incident.name} has no draft yet. {request.slash('postmortem')} draft writes one.")
    if request.source == "mention":
        # A message brings no trigger to open a form with.
        raise UsageError(f"A form opens in the channel, from /{request.settings.prefix}postmortem edit {incident.name}")
    if not words.strip():
        return Reply(text="", form=CHOOSE, fills={"incident": incident, "sections": newest.sections})
    section = _find(newest, words.strip())
    # What was taken out is offered as it would come back.
    text = section.drafted or "" if section.removed else section.body
    return Reply(text="", form=WRITE, fills=_fills(incident, newest, section, text))


def _fills(incident: Incident, version: Postmortem, section: Section, text: str, note: str = "") -> dict[str, object]:
    return {"incident": incident, "version": version.version, "section": section, "text": text, "note": note}


def _find(version: Postmortem, words: str) -> Section:
    """The section meant by its key, its heading or the beginning of one. Raises UsageError otherwise."""
    wanted = words.casefold()
    names = {name.casefold(): each for each in version.sections for name in (each.heading, each.key)}
    begun = [each for name, each in names.items() if name.startswith(wanted)]
    guess = closest_match(wanted, names)
    found = names.get(wanted) or (begun[0] if begun else None) or (names[guess] if guess else None)
    if found is None:
        keys = ", ".join(each.key for each in version.sections)
        raise UsageError(f"There is no section “{words[:40]}”. There is: {keys}")
    return found


def save(connection: Connection, request: Request) -> Reply:
    """A form with a section's text was sent off: keep it as a new version, or show where somebody else was faster."""
    edit = request.edit
    if edit is None:
        raise UsageError(f"A section is edited in a form: {request.slash('postmortem')} edit opens it.")
    incident = get_current(connection, request, lock=True)
    newest, before = _versions(connection, incident, edit)
    section = newest.section(edit.key) or before
    options = MergeOptions(labels=(MINE, f"As {newest.drafted_by} saved it in version {newest.version}"))
    mine = normalize(edit.text)
    merged = merge(before.body, mine, section.body, options)
    if merged.conflicts and len(merged.text) <= ASKED:
        return _ask(incident, newest, section, mine, merged)
    if merged.text == section.body:
        return Reply(text=slack("unedited", incident=incident, section=section, postmortem=newest))
    changed = rewritten(section, merged.text)
    version = postmortems.add(
        connection,
        incident.id,
        template=newest.template,
        sections=_with(newest, changed),
        drafted_at=request.received_at,
        drafted_by=request.user_name,
        origin="edit",
    )
    others = newest if section.body != before.body else None
    facts = {
        "postmortem": version,
        "section": changed,
        "others": others,
        "was": newest,
        "prefix": request.settings.prefix,
    }
    return Reply(text=slack("edited", incident=incident, conflicts=conflicts_by_heading([changed]), **facts))


def normalize(text: str) -> str:
    """A text that somebody sent, as it is kept: line feeds alone, nothing unprintable, no blank lines around it."""
    return visible(text).strip("\n").rstrip()


def _versions(connection: Connection, incident: Incident, edit: SectionEdit) -> tuple[Postmortem, Section]:
    """The newest version, and the section as it was in the one that was opened."""
    newest = postmortems.newest(connection, incident.id)
    opened = postmortems.numbered(connection, incident.id, edit.version)
    section = opened.section(edit.key) if opened else None
    if newest is None or section is None:
        raise UsageError(f"Version {edit.version} of {incident.name} is not there any more. Open the form again.")
    return newest, section


def _with(version: Postmortem, changed: Section) -> tuple[Section, ...]:
    """The version's sections with this one changed; one that a new template left out comes back, at the end."""
    if version.section(changed.key) is None:
        return (*version.sections, changed)
    return tuple(changed if each.key == changed.key else each for each in version.sections)


def _ask(incident: Incident, newest: Postmortem, section: Section, mine: str, merged: Merged) -> Reply:
    """Both versions in the form, to choose from; and the person's own words as a message, should the form close."""
    by = f"{newest.drafted_by} saved version {newest.version} while you were writing."
    note = f"{by} Where the two differ, both stand below. Keep what is right, then save."
    text = slack("not_saved", incident=incident, section=section, postmortem=newest, words=mine)
    return Reply(text=text, form=WRITE, fills=_fills(incident, newest, section, merged.text, note))
