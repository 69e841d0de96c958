"""The file of proposals is read back as it was written, and refuses what it cannot read."""

import pytest

from bot.domain.incident.proposals import is_proposals_file, parse_proposals
from bot.errors import UsageError

HEAD = "# Backfill of INC-1: disk full\n\n<!-- scribe backfill of INC-1 in T0 -->\n\n"
COMMENT = (
    '  <!-- {"at": "2026-03-12T11:02:10.123000+00:00", "by": "U1", "link": "https://x.slack.com/archives/C1/p1"} -->\n'
)
ITEM = f"- [x] 2026-03-12 11:02:10 UTC · did · alice: restarted db1\n      and db2\n  > names an action\n{COMMENT}"


def test_a_ticked_message_has_its_words_kind_and_what_the_comment_keeps() -> None:
    file = parse_proposals(f"{HEAD}{ITEM}- [ ] 2026-03-12 11:03:00 UTC · note · bob: lol\n")
    assert (file.incident, file.workspace_id, file.unticked) == ("INC-1", "T0", 1)
    ((message, kind),) = file.chosen
    assert (message.text, kind, message.author, message.author_id) == ("restarted db1\nand db2", "did", "alice", "U1")
    assert (message.at.microsecond, message.permalink) == (123_000, "https://x.slack.com/archives/C1/p1")


def test_a_corrected_time_replaces_the_messages_own() -> None:
    ((message, _),) = parse_proposals(HEAD + ITEM.replace("11:02:10 UTC", "11:01 UTC")).chosen
    assert f"{message.at:%H:%M:%S.%f}" == "11:01:00.000000"


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (ITEM.replace("· did ·", "· dit ·"), "Line 5: .* Did you mean did"),
        (ITEM.replace(" UTC", ""), "Line 5 cannot be read"),
        (ITEM.replace("2026-03-12 11:02:10 UTC", "2026-13-12 11:02:10 UTC"), "is no time"),
        (ITEM.replace('"U1"', "[1]"), "Line 8: the comment"),
        (ITEM.replace('{"at"', '{"a'), "Line 8: the comment"),
        (ITEM.replace('"by": "U1"', '"people": {"a": 1}'), "Line 8: the comment"),
        (ITEM.replace('"by": "U1"', f'"x": {"[" * 100_000}'), "Line 8: the comment"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(broken: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse_proposals(HEAD + broken)


def test_another_file_is_none() -> None:
    assert not is_proposals_file("# A postmortem")
    with pytest.raises(UsageError, match="no file of proposals"):
        parse_proposals("# A postmortem")
