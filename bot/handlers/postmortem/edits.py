"""Edit a section in a form; saving merges it with what others saved since the form was opened."""

from sqlalchemy import Connection

from bot.documents.escaping import visible
from bot.documents.rendering import slack
from bot.domain.postmortem.merge import Merged, MergeOptions, merge
from bot.domain.postmortem.questions import STILL_OPEN
from bot.domain.postmortem.redraft import conflicts_by_heading, rewritten
from bot.domain.words import closest_match
from bot.errors import UsageError
from bot.handlers.incident.incidents import commands_about, get_current, get_named
from bot.handlers.permission import require_permission
from bot.handlers.request import MENTION, Reply, Request
from storage import incidents, postmortems
from storage.values import Incident, Postmortem, Section

CHOOSE, WRITE, SAVE = "choose_section", "write_section", "save_section"
"""The form that lists the sections, the form with a section's text, and the action of submitting that one."""
DOCUMENT = "document"
"""The action in the policy."""
MINE = "As you wrote it"
ASKED = 30_000
"""The most characters of a conflict that is shown in the form again. A longer one is saved with both versions in it."""


def edit(connection: Connection, request: Request) -> Reply:
    """`edit [INC-12] [section]`: open the form with the section's text; without a section, the list of sections."""
    incident, words = get_named(connection, request, plain=True)
    require_permission(connection, request, incident, DOCUMENT)
    newest = postmortems.newest(connection, incident.id)
    if newest is None:
        draft = commands_about(connection, request, incident)("postmortem draft")
        raise UsageError(f"{incident.name} has no draft yet. {draft} writes one.")
    if request.source == MENTION:
        # A message event has no trigger_id, which Slack requires to open a form.
        raise UsageError(f"A form opens in the channel, from /{request.settings.prefix}postmortem edit {incident.name}")
    if not words.strip():
        return Reply(text="", form=CHOOSE, fills={"incident": incident, "sections": newest.sections})
    section = _find_section(newest, words.strip())
    # A removed section is shown with its drafted text, to be restored.
    text = section.drafted or "" if section.removed else section.body
    return Reply(text="", form=WRITE, fills=_form_values(connection, incident, newest, section, text))


def _find_section(version: Postmortem, words: str) -> Section:
    """The section with that key or heading, or one that begins with the words or is close to them."""
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
    """Save the submitted text as a new version, or open the form again with the conflicts with a newer version."""
    edit = request.edit
    if edit is None:
        raise UsageError(f"A section is edited in a form: {request.slash('postmortem')} edit opens it.")
    incident = get_current(connection, request, lock=True)
    require_permission(connection, request, incident, DOCUMENT)
    if edit.erasures not in {None, incidents.erasures(connection, incident.id)}:
        raise UsageError(
            f"Words of {incident.name} were erased while the form was open, and it may still hold them. "
            "Copy what you wrote, and open it anew."
        )
    newest = postmortems.newest(connection, incident.id)
    opened = postmortems.numbered(connection, incident.id, edit.version)
    before = opened.section(edit.key) if opened else None
    if newest is None or before is None:
        raise UsageError(f"Version {edit.version} of {incident.name} is not there any more. Open the form again.")
    section = newest.section(edit.key) or before
    options = MergeOptions(labels=(MINE, f"As {newest.drafted_by} saved it in version {newest.version}"))
    mine = normalize(edit.text)
    merged = merge(before.body, mine, section.body, options)
    if merged.conflicts and len(merged.text) <= ASKED:
        return _show_conflict(connection, incident, newest, section, mine, merged)
    if merged.text == section.body:
        return Reply(text=slack("unedited", incident=incident, section=section, postmortem=newest))
    changed = rewritten(section, merged.text)
    version = postmortems.add(
        connection,
        incident.id,
        template=newest.template,
        sections=_with_section(newest, changed),
        drafted_at=request.received_at,
        drafted_by=request.user_name,
        drafted_by_id=request.user_id,
        names=newest.names,
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
    """The text as it is saved: line feeds only, control characters made visible, no blank lines around it."""
    return visible(text).strip("\n").rstrip()


def _with_section(version: Postmortem, changed: Section) -> tuple[Section, ...]:
    """The sections with this one changed; one that the present template lacks comes last, before what is open."""
    if version.section(changed.key) is None:
        last = tuple(each for each in version.sections if each.key == STILL_OPEN)
        return (*(each for each in version.sections if each.key != STILL_OPEN), changed, *last)
    return tuple(changed if each.key == changed.key else each for each in version.sections)


def _show_conflict(
    connection: Connection, incident: Incident, newest: Postmortem, section: Section, mine: str, merged: Merged
) -> Reply:
    """Both versions in the form; and the user's text as a message, in case the form is closed."""
    by = f"{newest.drafted_by} saved version {newest.version} while you were writing."
    note = f"{by} Where the two differ, both stand below. Keep what is right, then save."
    text = slack("not_saved", incident=incident, section=section, postmortem=newest, words=mine)
    return Reply(text=text, form=WRITE, fills=_form_values(connection, incident, newest, section, merged.text, note))


def _form_values(
    connection: Connection, incident: Incident, version: Postmortem, section: Section, text: str, note: str = ""
) -> dict[str, object]:
    return {
        "incident": incident,
        "version": version.version,
        "erasures": incidents.erasures(connection, incident.id),
        "section": section,
        "text": text,
        "note": note,
    }
