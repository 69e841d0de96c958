"""A draft never vanishes: whatever Slack, or something before it, does to its file, the document arrives, once."""

from datetime import timedelta

import pytest

from bot.clock import SetClock
from bot.fakeslack.faults import Fault
from bot.fakeslack.objects import Message
from bot.fakeslack.schema import Json
from bot.slack.refusals import MOST_FILE_FAILURES, NO_FILES
from tests.support.ledger import outbox_states, problems
from tests.support.workplace import Workplace

ASK, COMPLETE = "files.getUploadURLExternal", "files.completeUploadExternal"
WORDS = sorted(
    NO_FILES
    | {"access_denied", "ekm_access_denied", "no_permission", "missing_scope", "restricted_action", "a_new_word"}
)


def parts(messages: list[Message]) -> list[str]:
    return [block["text"] for each in messages for block in each.blocks if block["type"] == "markdown"]


def refuse(office: Workplace, method: str, word: str, *, name: str = "", status: int = 200) -> None:
    """Refuse every call of the method, or those for a file whose name ends so."""

    def refused(called: str, args: Json) -> Fault | None:
        if called != method or not str(args.get("filename", "")).endswith(name):
            return None
        return Fault(method=method, error=word, status=status, retry_after_s=0)

    office.slack.refuse_by(refused)


def arrived_as_messages(office: Workplace) -> bool:
    messages = office.messages()
    assert sum("disk full" in text for text in parts(messages)) == 1
    assert sum(each.text.startswith("INC-1 · postmortem, version 1") for each in messages) == 1
    assert problems(office) == []
    return not office.slack.files


@pytest.mark.parametrize("method", [ASK, COMPLETE])
@pytest.mark.parametrize("word", WORDS)
def test_a_refused_file_comes_as_messages(office: Workplace, method: str, word: str) -> None:
    refuse(office, method, word)
    office.say("/detected disk full")
    office.say("/resolved freed")
    assert arrived_as_messages(office)


@pytest.mark.parametrize("status", [400, 403, 404, 407, 413])
def test_an_upload_url_that_takes_no_file_leads_to_messages(office: Workplace, status: int) -> None:
    office.slack.refuse_uploads(status)
    office.say("/detected disk full")
    office.say("/resolved freed")
    assert arrived_as_messages(office)


@pytest.mark.parametrize("status", [500, 503])
def test_an_upload_url_that_fails_for_a_while_is_tried_again(office: Workplace, clock: SetClock, status: int) -> None:
    office.slack.refuse_uploads(status)
    office.say("/detected disk full")
    office.say("/resolved freed")
    office.deliver()
    assert outbox_states(office)["waiting"] == 1
    office.slack.refuse_uploads(0)
    clock.set(clock() + timedelta(minutes=1))
    office.deliver()
    assert [each.name for each in office.drafts] == ["INC-1-postmortem-v1.md"]
    assert parts(office.messages()) == []


def test_files_that_fail_for_ever_come_as_messages_after_a_few_minutes(office: Workplace, clock: SetClock) -> None:
    refuse(office, COMPLETE, "internal_error", status=500)
    office.say("/detected disk full")
    office.say("/resolved freed")
    for _ in range(MOST_FILE_FAILURES - 1):
        assert parts(office.messages()) == []
        clock.set(clock() + timedelta(minutes=1))
    assert arrived_as_messages(office)


@pytest.mark.parametrize("method", [ASK, COMPLETE])
def test_a_refused_picture_is_left_out_and_the_document_comes_as_a_file(office: Workplace, method: str) -> None:
    if method == ASK:
        refuse(office, ASK, "file_type_not_allowed", name=".png")
    else:
        office.slack.fail_next(COMPLETE, error="file_type_not_allowed")
    office.say("/detected disk full")
    office.say("/resolved freed")
    office.deliver()
    assert [each.name for each in office.slack.files] == ["INC-1-postmortem-v1.md"]
    assert parts(office.messages()) == []
    assert problems(office) == []


def test_a_refused_picture_of_a_report_comes_as_its_text(office: Workplace) -> None:
    office.say("/detected disk full")
    refuse(office, ASK, "file_uploads_disabled")
    office.private("/incident report")
    assert "1 declared" in office.messages()[-1].text
    assert problems(office) == []
