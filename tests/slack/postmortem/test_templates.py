"""Templates and renderings, through the commands that choose and show them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.clock import SetClock
from storage.database import Database
from tests.support.workplace import Workplace, at, workplace


@pytest.fixture
def custom_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.fixture
def operator(sqlite: Database, clock: SetClock, custom_dir: Path) -> Iterator[Workplace]:
    """A workplace with custom templates."""
    with workplace(sqlite, clock=clock, SCRIBE_TEMPLATES=str(custom_dir)) as place:
        yield place


def resolve(office: Workplace, clock: SetClock) -> None:
    office.say("/detected by monitoring: disk full")
    office.say("/impact 20% of users saw errors, bob says", user=office.carol)
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/did restarted it with @bob")
    office.say("/resolved freed")


def files(office: Workplace) -> list[str]:
    office.deliver()
    return [file.content.decode() for file in office.drafts]


def comment(office: Workplace) -> str:
    return next(message.text for message in reversed(office.messages()) if message.files)


def shown(office: Workplace, typed: str) -> str:
    """The blocks of a private answer, which include the document."""
    answer = office.ask(typed)
    assert answer.body["response_type"] == "ephemeral", answer
    return "\n".join(str(block["text"]) for block in answer.body.get("blocks", [answer.body]))


def test_the_templates_are_listed_with_their_purpose(office: Workplace) -> None:
    office.say("/detected disk full")
    listed = office.private("/postmortem template").splitlines()
    assert [line.split(":")[0] for line in listed[:6]] == [
        "classic (in use)", "devops", "full", "learning", "response", "sysadmin",
    ]  # fmt: skip
    assert "/postmortem template NAME drafts a new version in it" in listed[-1]


def test_choosing_a_template_drafts_a_version_and_later_drafts_use_it(office: Workplace, clock: SetClock) -> None:
    resolve(office, clock)
    assert "in the template sysadmin" in office.say("/postmortem template SysAdmin")
    office.deliver()
    office.say("/note systems: db1")
    office.say("/postmortem draft")
    first, second, third = files(office)
    assert "## Issue summary" in first
    assert "## Affected systems\n\n*Nothing is recorded yet.*" in second
    assert "- Which systems and services were hit? `/note INC-1 at 2026-03-12 12:30 UTC systems: " in second
    assert "## Affected systems\n\n- db1." in third
    assert "sysadmin (in use)" in office.private("/postmortem template INC-1")


def test_an_unknown_template_is_refused_with_the_nearest(office: Workplace, clock: SetClock) -> None:
    resolve(office, clock)
    refusal = office.refused("/postmortem template lerning INC-1")
    assert refusal.startswith(
        "There is no template “lerning”. Did you mean learning? There is: classic, devops, full, "
    )
    assert "Your words: /postmortem template lerning INC-1" in refusal
    assert len(files(office)) == 1


def test_the_setting_chooses_the_first_template(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_TEMPLATE="learning") as office:
        resolve(office, clock)
        assert "## Root cause analysis" in files(office)[0]


def test_blameless_shows_roles_for_names(office: Workplace, clock: SetClock) -> None:
    resolve(office, clock)
    office.deliver()
    text = shown(office, "/postmortem show blameless INC-1")
    assert "estarted it with responder C — responder A" in text
    assert "aw errors, responder C says" in text
    assert not any(name in text for name in ("alice", "bob", "carol"))
    assert "alice" in shown(office, "/postmortem show")


def test_public_shows_four_sections_without_what_is_private(office: Workplace, clock: SetClock) -> None:
    resolve(office, clock)
    office.say("/did private: paid for more disk")
    office.deliver()
    text = shown(office, "/postmortem show public")
    assert "Nothing is published." in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Summary", "## Impact", "## What happened", "## What is being done",
    ]  # fmt: skip
    assert not any(word in text for word in ("alice", "bob", "carol", "paid", "private: p"))


def test_public_tells_sums_of_money_where_it_is_asked_to(office: Workplace, clock: SetClock) -> None:
    resolve(office, clock)
    office.say("/impact at 12:00 9 users saw 500s")
    office.say("/impact at 12:00 money: $4,000 in refunds")
    office.deliver()
    assert "9 users" in shown(office, "/postmortem show public")
    assert "$4,000" not in shown(office, "/postmortem show public")
    for words in ("public money", "money public INC-1", "INC-1 public money"):
        assert "$4,000 in refunds" in shown(office, f"/postmortem show {words}")
    assert "no rendering “money”" in office.refused("/postmortem show money")
    assert "one word too many" in office.refused("/postmortem show blameless money")


def test_an_unknown_rendering_is_refused_with_the_nearest(office: Workplace, clock: SetClock) -> None:
    resolve(office, clock)
    office.deliver()
    assert "Did you mean blameless?" in office.refused("/postmortem show blamless")
    assert "one word too many" in office.refused("/postmortem show public INC-1 now")


def test_resolved_drafts_with_the_shipped_template_when_the_custom_one_is_broken(
    operator: Workplace, clock: SetClock, custom_dir: Path
) -> None:
    (custom_dir / "classic.md.j2").write_text("{# Ours #}\n{{ nothing }}\n", encoding="utf-8")
    resolve(operator, clock)
    assert "## Issue summary" in files(operator)[0]
    assert (
        "classic.md.j2, line 2: 'nothing' is undefined. This is written with the shipped template classic"
        in comment(operator)
    )
    (custom_dir / "classic.md.j2").write_text('{% call section("a", "Ours at last") %}x{% endcall %}', encoding="utf-8")
    operator.say("/postmortem draft")
    assert "## Ours at last" in files(operator)[1]
    assert "could not be used" not in comment(operator)


def test_resolved_drafts_although_the_template_was_removed(sqlite: Database, clock: SetClock, custom_dir: Path) -> None:
    (custom_dir / "ours.md.j2").write_text('{% call section("a", "Ours") %}x{% endcall %}', encoding="utf-8")
    with workplace(sqlite, clock=clock, SCRIBE_TEMPLATES=str(custom_dir), SCRIBE_TEMPLATE="ours") as office:
        (custom_dir / "ours.md.j2").unlink()
        resolve(office, clock)
        assert "## Issue summary" in files(office)[0]
        assert "There is no template “ours”." in comment(office)


def test_choosing_a_template_with_a_syntax_error_is_refused_at_once(
    operator: Workplace, clock: SetClock, custom_dir: Path
) -> None:
    (custom_dir / "ours.md.j2").write_text("{# Ours #}\n\n{% if %}", encoding="utf-8")
    resolve(operator, clock)
    assert "ours.md.j2, line 3: Expected an expression" in operator.refused("/postmortem template ours")
    assert len(files(operator)) == 1


def test_choosing_a_template_that_fails_is_reported_to_the_person_and_changes_nothing(
    operator: Workplace, clock: SetClock, custom_dir: Path
) -> None:
    (custom_dir / "ours.md.j2").write_text("{# Ours #}\n{{ ''.__class__.__mro__ }}", encoding="utf-8")
    resolve(operator, clock)
    operator.say("/postmortem template ours")
    ephemerals = [each for each in operator.messages(user=operator.alice) if each.ephemeral_for == operator.alice]
    assert "INC-1 was not drafted anew: the template could not be used. ours.md.j2, line 2:" in ephemerals[-1].text
    assert len(files(operator)) == 1
    assert "classic (in use)" in operator.private("/postmortem template")


def test_other_commands_are_answered_while_a_template_loops(
    operator: Workplace, clock: SetClock, custom_dir: Path
) -> None:
    loop = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
    (custom_dir / "classic.md.j2").write_text(loop, encoding="utf-8")
    resolve(operator, clock)
    rendering = operator.bot.context.executor.submit(operator.bot.context.delivery.deliver_due)
    assert "Note" in operator.say("/note still here")
    assert not rendering.done()
    operator.bot.context.executor.shutdown(wait=True)
    assert "took longer than 5 s" in comment(operator)


def test_a_custom_template_that_loops_is_interrupted_in_time_for_the_answer(
    operator: Workplace, clock: SetClock, custom_dir: Path
) -> None:
    resolve(operator, clock)
    operator.deliver()
    loop = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
    (custom_dir / "classic.md.j2").write_text(loop, encoding="utf-8")
    text = json.dumps(operator.ask("/postmortem show blameless").body)
    assert "took longer than 1 s" in text
    assert "Issue summary" in text


def test_export_gives_the_renderings_as_files_and_refuses_them_as_json(
    office: Workplace, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(office, clock)
    office.say("/did private: paid for more disk")
    office.deliver()
    monkeypatch.setenv("DATABASE_URL", office.database.url.render_as_string(hide_password=False))
    for how in ("blameless", "public"):
        for kind in ("md", "html", "svg"):
            done = CliRunner().invoke(main, ["export", "INC-1", "--as", how, "--format", kind])
            assert done.exit_code == 0, done.output
            assert not any(name in done.output for name in ("alice", "bob", "carol"))
            assert ("paid" in done.output) == (how == "blameless")
    refused = CliRunner().invoke(main, ["export", "INC-1", "--money"])
    assert refused.exit_code == 2
    assert "--money goes with --edition public" in refused.output
    refused = CliRunner().invoke(main, ["export", "INC-1", "--as", "public", "--format", "json"])
    assert refused.exit_code == 2
    assert "json is the whole record" in refused.output
