"""Every exported incident keeps the published schema, and the schema forbids what is not promised."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from bot.demo.replay import SAMPLE, replay_file
from bot.documents.export import FORMATS, ExportRecord
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem.export import schema
from tests.integration.publishing.editions import drafted, record, story_of_everything
from tests.support import casebook
from tests.support.paths import ROOT

PUBLISHED = ROOT / "deploy" / "postmortem.schema.json"
VALIDATOR = Draft202012Validator(json.loads(PUBLISHED.read_text()), format_checker=Draft202012Validator.FORMAT_CHECKER)


def exported(told: ExportRecord) -> Any:
    return json.loads(FORMATS["json"](told))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", casebook.NAMES)
def test_every_sample_case_keeps_it(name: str) -> None:
    VALIDATOR.validate(exported(record(name)))


@pytest.mark.parametrize("template", TemplateCatalog().names())
def test_the_story_of_everything_keeps_it(template: str) -> None:
    VALIDATOR.validate(exported(story_of_everything(template)))


def test_an_incident_of_which_nothing_is_known_keeps_it() -> None:
    VALIDATOR.validate(exported(drafted(casebook.incident(casebook.load(casebook.NAMES[0])), [], [])))


def test_what_the_real_bot_exports_keeps_it() -> None:
    VALIDATOR.validate(json.loads(replay_file(SAMPLE).documents["json"]))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["incident", "id"], "12"),
        (["incident", "severity"], "SEV9"),
        (["incident", "status"], "closed"),
        (["incident", "started_at"], "2026-03-12 12:00"),
        (["incident", "declared_at"], None),
        (["incident", "time_to_detect_s"], -1),
        (["incident", "detected_by"], "the cat"),
        (["entries", 0, "kind"], "shouted"),
        (["entries", 0, "late"], "no"),
        (["action_items", 0, "due_on"], "soon"),
        (["action_items", 0, "state"], "closed"),
        (["postmortem", "version"], 0),
        (["postmortem", "sections", 0, "edited"], None),
        (["postmortem", "sections", 0, "mood"], "good"),
        (["mood"], "good"),
    ],
)
def test_what_is_not_promised_is_refused(path: list[Any], value: object) -> None:
    told = exported(record(casebook.NAMES[0]))
    place = told
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValidationError):
        VALIDATOR.validate(told)


def test_every_field_is_required() -> None:
    told = exported(record(casebook.NAMES[0]))
    for part in (told, told["incident"], told["entries"][0], told["action_items"][0], told["postmortem"]):
        for name in list(part):
            kept = part.pop(name)
            assert not VALIDATOR.is_valid(told), name
            part[name] = kept
    VALIDATOR.validate(told)
