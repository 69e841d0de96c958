"""The blameless and the public rendering of a record with edited sections."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.documents.export import FORMATS, ExportRecord
from bot.documents.templates import TemplateCatalog
from bot.domain.incident.lifecycle import lifecycle
from bot.errors import UsageError
from bot.handlers.postmortem.audiences import AudienceOptions, render_for
from storage.values import Postmortem, Section
from tests.support import casebook

CASE = casebook.load(casebook.NAMES[0])
OPTIONS = AudienceOptions(names={}, catalog=TemplateCatalog())
EDITED = Section(key="cause", heading="Root cause", body="Alice merged what dave-fw built.", edited=True)
OWN = Section(key="thanks", heading="Thanks, Bob", body="To carol-lead and @zoe.", edited=True)


@pytest.fixture
def record() -> ExportRecord:
    entries = [replace(each, author_id=f"U{each.author}") for each in casebook.entries(CASE)]
    drafted = Postmortem(
        template="learning",
        version=3,
        sections=(Section(key="summary", heading="Summary", body="old"), EDITED, OWN),
        drafted_at=datetime(2026, 3, 2, tzinfo=UTC),
        drafted_by="alice-sre",
    )
    return ExportRecord(
        incident=casebook.incident(CASE),
        entries=entries,
        items=casebook.items(CASE),
        postmortem=drafted,
        lifecycle=lifecycle(entries),
    )


def test_what_a_person_edited_stays_in_the_blameless_rendering_with_roles_for_its_names(record: ExportRecord) -> None:
    file = FORMATS["md"](render_for(record, "blameless", OPTIONS).record)
    assert "## Root cause\n\nResponder B merged what responder A built." in file
    assert "## Thanks, responder C\n\nTo responder D and responder E." in file
    assert "## Resolution and recovery" in file


def test_what_a_person_took_out_stays_out_of_the_blameless_rendering(record: ExportRecord) -> None:
    assert record.postmortem is not None
    gone = replace(EDITED, key="resolution", heading="Resolution", body="", drafted="Alice did it.")
    without = replace(record, postmortem=replace(record.postmortem, sections=(gone,)))
    told = render_for(without, "blameless", OPTIONS).record
    assert "Resolution and recovery" not in FORMATS["md"](told)
    assert "Resolution" not in FORMATS["html"](told)
    assert told.postmortem is not None
    assert {each.drafted for each in told.postmortem.sections} == {None}


def test_what_a_person_edited_is_not_in_the_public_rendering(record: ExportRecord) -> None:
    file = FORMATS["md"](render_for(record, "public", OPTIONS).record)
    assert "merged what" not in file
    assert "Thanks" not in file


@pytest.mark.parametrize("how", ["blameless", "public"])
def test_a_record_without_a_draft_has_no_rendering(record: ExportRecord, how: str) -> None:
    with pytest.raises(UsageError, match="no draft yet"):
        render_for(replace(record, postmortem=None), how, OPTIONS)
