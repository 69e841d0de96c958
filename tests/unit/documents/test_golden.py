"""A fully told incident in every form: kept as files, and each requirement of each form with the place that meets it.

The requirements are those of the documents that the forms grew from. Of each, the table names the section and words
that only the fully told incident can have put there; what nobody told is asked for, see `test_templates`.
"""

import pytest

from bot.documents import rendering
from bot.documents.templates import TemplateCatalog
from tests.unit.documents import golden

MEASURES = (
    ("corrective and preventative measures", "measures", "put the fonts into the release"),
    ("for the short term and the long one", "measures", "### Short-term", "### Long-term"),
    ("each with an owner", "measures", "jon", "renderer team", "belt team"),
    ("each with a deadline", "measures", "20 March 2026", "1 September 2026"),
    ("what was decided against, and why", "measures", "the printers were not the cause"),
)
SUMMARY = (
    ("a summary with the duration", "summary", "1 h 18 min"),
    ("with the impact", "summary", "3,200 of 4,000 parcels"),
    ("with who noticed it, and how soon", "summary", "onitoring", "8 min"),
    ("with the severity", "summary", "SEV1"),
)
TIMELINE = (
    ("a timeline from detection to resolution", "timeline", "passed 5%", "every belt prints labels"),
    ("with its dates and time zones", "timeline", "12 March 2026", "CET", "UTC"),
    ("with the misleading paths", "timeline", "not the printers"),
    ("with the escalations", "timeline", "to the renderer team"),
    ("with what was assumed", "timeline", "out of ink"),
    ("with what led up to it", "timeline", "release 8.4"),
)
WAY_OUT = (
    ("every step of the resolution", "resolution", "back to 8.3", "emptied the font cache"),
    ("what ended it, and when", "resolution", "every belt prints labels with text", "11:20 CET"),
)
SIDES = (
    ("what went well", "lessons", "going back to 8.3 took three minutes"),
    ("what went badly", "lessons", "twenty minutes went into the printers"),
    ("where there was luck", "lessons", "night shift"),
)
FACTORS = (
    ("technical factors", "cause", "looks for its fonts in a folder"),
    ("process factors", "cause", "the stage for tests has all fonts"),
    ("human factors, as what made the step look right", "cause", "nothing changes for the belts"),
)
REQUIREMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "classic": (
        *SUMMARY, *TIMELINE, *FACTORS, *MEASURES, *SIDES,
        ("the resolution", "cause", "every belt prints labels with text"),
        ("how long each part of the response took", "response", "Time to detect", "8 min", "1 h 18 min"),
    ),
    "learning": (
        *SUMMARY, *FACTORS, *TIMELINE, *WAY_OUT, *MEASURES, *SIDES,
        ("measures by process, system, monitoring", "measures", "**Process**", "**Systems**", "**Monitoring**"),
    ),
    "response": (
        *SUMMARY, *FACTORS, *TIMELINE, *WAY_OUT, *MEASURES, *SIDES,
        ("how it was noticed, and how soon", "detection", "onitoring", "8 min", "passed 5%"),
        ("who took it on, and how soon", "response", "Time to acknowledge", "2 min"),
        ("who was called in", "escalation", "to the renderer team"),
        ("what should be told sooner", "escalation", "the warehouse is called before"),
        ("how noticing went", "lessons", "Went well: the alert on blank labels"),
        ("how coordinating went", "lessons", "Went badly: two people restarted the same belt"),
        ("how telling went", "lessons", "Went badly: the warehouse heard it from its own screens"),
        ("what customers were told", "communication", "up to two hours late"),
        ("what the organisation was told", "communication", "two of six belts"),
        ("what may be said outside", "communication", "> "),
    ),
    "full": (
        *SUMMARY, *TIMELINE, *FACTORS, *WAY_OUT, *MEASURES, *SIDES,
        ("the impact on users", "impact", "3,200 of 4,000 parcels"),
        ("the impact on the business", "impact", "2,900 parcels"),
        ("the impact in money", "impact", "4,100 euros"),
        ("the response: detection", "response", "### Detection", "passed 5%"),
        ("the response: communication", "response", "### Communication", "the warehouse is called before"),
        ("the response: escalation", "response", "### Called in", "to the renderer team"),
        ("the incident log", "log", "35 entries", "Ruled out 1", "font not found"),
        ("what can be improved", "lessons", "look at the file before the printer"),
        ("the review", "follow-up", "19 March 2026"),
        ("the documentation to change", "follow-up", "the runbook for labels"),
        ("the effectiveness review: by when", "effectiveness", "to be looked at on Sunday 26 April 2026"),
        ("the effectiveness review: what worked, and why", "effectiveness", "it worked", "8.5 printed on a bare belt"),
        ("the effectiveness review: what did not", "effectiveness", "it did not work", "two of five notes"),
        ("what customers were told", "communication", "up to two hours late"),
        ("what the organisation was told", "communication", "two of six belts"),
        ("the checklist: thorough", "checklist", "☑ The timeline is thorough"),
        ("the checklist: took part", "checklist", "☐ Everybody who took part was asked"),
        ("the checklist: blameless", "checklist", "blames nobody"),
        ("the checklist: owners and dates", "checklist", "☑ Every action item has an owner and a date"),
    ),
    "sysadmin": (
        *SUMMARY, *TIMELINE, *FACTORS, *WAY_OUT, *MEASURES, *SIDES,
        ("the affected systems", "systems", "label-renderer, belts 1 to 6"),
        ("what was looked at and ruled out", "analysis", "out of ink", "not the printers"),
        ("lines of the logs", "analysis", "font not found, drawing nothing"),
        ("the configuration", "analysis", "FONT_DIR=/usr/share/labels"),
        ("the impact on users", "impact", "3,200 of 4,000 parcels"),
        ("the impact on performance", "impact", "9 s"),
        ("the impact on operations", "impact", "no release could go out"),
        ("the documentation to change", "documentation", "the runbook for labels"),
        ("what to tell better", "communication-improvements", "the warehouse is called before"),
        ("the training", "training", "goes back one release once a quarter"),
    ),
    "devops": (
        *SUMMARY, *TIMELINE, *WAY_OUT, *MEASURES, *SIDES,
        ("the root cause", "cause", "looks for its fonts in a folder"),
        ("contributing factors apart from it: process", "factors", "### Process", "the stage for tests has all fonts"),
        ("contributing factors apart from it: human", "factors", "### Human", "nothing changes for the belts"),
        ("contributing factors apart from it: technical", "factors", "### Technical", "The root cause above"),
        ("follow-up actions", "follow-up", "19 March 2026", "the runbook for labels", "once a quarter"),
        ("what could have been done differently", "lessons", "differently", "look at the file before the printer"),
        ("action items by process", "measures", "**Process**", "a release note names"),
        ("action items by automation", "measures", "**Automation**", "the tests print"),
        ("action items by monitoring", "measures", "**Monitoring**", "alert on one blank label"),
        ("action items by communication", "measures", "**Communication**", "the status page tells"),
        ("by when each is done", "effectiveness", "due Friday 29 May 2026"),
        ("by when each is looked at again", "effectiveness", "to be looked at again by Sunday 28 June 2026"),
        ("whether each worked, who said so, when and why", "effectiveness", "said mira on Monday 20 April 2026: 8.5"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("template", TemplateCatalog().names())
def test_a_fully_told_incident_is_drafted_as_it_is_kept(template: str) -> None:
    """If the difference is meant: `python -m tests.unit.documents.golden --write`."""
    assert golden.drafted(template) == golden.path(template).read_text(encoding="utf-8")


def test_what_depends_on_how_an_incident_went_is_said_as_it_is_kept() -> None:
    """If the difference is meant: `python -m tests.unit.documents.golden --write`."""
    assert golden.states() == golden.STATES_PATH.read_text(encoding="utf-8")


def test_what_is_told_at_length_elsewhere_and_over_days_is_shown_as_it_is_kept() -> None:
    """If the difference is meant: `python -m tests.unit.documents.golden --write`."""
    assert golden.others() == golden.OTHERS_PATH.read_text(encoding="utf-8")


def test_every_form_has_its_requirements_and_its_file() -> None:
    assert REQUIREMENTS.keys() == set(TemplateCatalog().names())
    assert {path.stem for path in golden.FOLDER.glob("*.md")} == REQUIREMENTS.keys()


@pytest.mark.parametrize(
    ("template", "requirement"), [(template, each) for template, rows in REQUIREMENTS.items() for each in rows]
)
def test_each_requirement_of_each_form_is_met_where_the_table_says(template: str, requirement: tuple[str, ...]) -> None:
    _, key, *words = requirement
    body = next(each.body for each in rendering.render_draft(golden.document(), template) if each.key == key)
    assert words
    assert [each for each in words if each.casefold() not in body.casefold()] == []


def test_nothing_is_left_to_ask_of_a_fully_told_incident() -> None:
    assert golden.document().questions == {}
