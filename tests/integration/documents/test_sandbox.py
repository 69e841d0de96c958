"""Templates of the operator's own: what they may do, and how each way to misbehave ends."""

import os
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.config import Settings
from bot.documents import drafting, sandbox
from bot.documents.sandbox import BrokenTemplateError
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.document import Document
from bot.errors import UsageError
from tests.support.casebook import entry
from tests.unit.documents.test_rendering import INCIDENT, after

SECTION = '{% call section("summary", "Ours") %}'
END = "{% endcall %}"
LOOP = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
ESCAPES = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ section.__call__.__globals__ }}",
    "{{ lipsum.__globals__['os'].environ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ document.__class__.__init__.__globals__ }}",
    "{{ '{0.__class__}'.format(document) }}",
    "{{ self._TemplateReference__context }}",
    "{{ ''|attr('__class__') }}",
    "{{ document.questions.clear() }}",
    "{% include '/etc/passwd' %}",
    "{% include '../../../../etc/passwd' %}",
    "{% include 'postmortem/../../../etc/passwd' %}",
    "{% import 'os' as os %}",
    "{{ range(10**9)|list }}",
)


@pytest.fixture
def document() -> Document:
    return assemble(INCIDENT, [entry(1, "detected", after(0), "disk *full*")], [], zone=ZoneInfo("UTC"))


@pytest.fixture
def catalog(tmp_path: Path) -> TemplateCatalog:
    return TemplateCatalog(tmp_path)


def write(catalog: TemplateCatalog, name: str, body: str, *, about: str = "Ours.") -> None:
    assert catalog.custom_dir
    path = catalog.custom_dir / f"{name}.md.j2"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{{# {about} #}}\n{SECTION}\n{body}\n{END}\n", encoding="utf-8")


def problem(document: Document, catalog: TemplateCatalog, body: str, limit_s: float = 5) -> str:
    write(catalog, "ours", body)
    with pytest.raises(BrokenTemplateError) as caught:
        sandbox.render(document, catalog, "ours", limit_s=limit_s)
    return str(caught.value)


def test_an_own_template_uses_shipped_parts_and_its_words_are_escaped(
    document: Document, catalog: TemplateCatalog
) -> None:
    write(catalog, "ours", '{% include "postmortem/parts/timeline.md.j2" %}')
    drafted = drafting.draft_sections(document, "ours", catalog)
    assert drafted.problem is None
    assert [(section.key, section.heading) for section in drafted.sections] == [("summary", "Ours")]
    assert "Detected: disk \\*full\\* — alice" in drafted.sections[0].body


def test_an_own_template_of_a_shipped_name_goes_before_it_and_adds_to_the_others(
    document: Document, catalog: TemplateCatalog
) -> None:
    write(catalog, "classic", "Our own classic.", about="Ours, in short.")
    write(catalog, "weekly", "Weekly.")
    assert catalog.names() == ("classic", "devops", "full", "learning", "response", "sysadmin", "weekly")
    assert catalog.about("classic") == "Ours, in short."
    assert drafting.draft_sections(document, "classic", catalog).sections[0].body == "Our own classic."
    assert len(drafting.draft_sections(document, "full", catalog).sections) == 14


def test_an_own_part_goes_before_the_shipped_one_in_every_template(
    document: Document, catalog: TemplateCatalog
) -> None:
    assert catalog.custom_dir
    (catalog.custom_dir / "parts").mkdir()
    (catalog.custom_dir / "parts" / "timeline.md.j2").write_text(
        "Ours has {{ document.entries }} entry.", encoding="utf-8"
    )
    drafted = drafting.draft_sections(document, "learning", catalog)
    assert drafted.problem is None
    assert {section.key: section.body for section in drafted.sections}["timeline"] == "Ours has 1 entry."


@pytest.mark.parametrize("body", ESCAPES)
def test_no_template_reaches_python_or_a_file(document: Document, catalog: TemplateCatalog, body: str) -> None:
    said = problem(document, catalog, body)
    assert said.startswith("ours.md.j2, line 3: ")
    assert "root:" not in said


def test_a_template_that_loops_for_ever_is_stopped_and_its_line_is_told(
    document: Document, catalog: TemplateCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The line is told by the child's own alarm. On a busy machine the child must not be killed while it comes up.
    monkeypatch.setattr(sandbox, "_START_S", 60.0)
    said = problem(document, catalog, LOOP, limit_s=0.5)
    assert said == "ours.md.j2, line 3: it took longer than 0.5 s and was stopped"


def test_a_template_that_is_deaf_to_the_alarm_is_killed(document: Document, catalog: TemplateCatalog) -> None:
    said = problem(document, catalog, "{{ 9 ** (9 ** 9) }}", limit_s=0.5)
    assert said == "ours.md.j2: it took longer than 0.5 s and was stopped"


def test_a_template_that_eats_memory_is_stopped(document: Document, catalog: TemplateCatalog) -> None:
    assert "needed more than 768 MB" in problem(document, catalog, '{{ "x" * 10 ** 10 }}')
    doubling = '{% set ns = namespace(x="x" * 1000) %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}'
    assert "memory" in problem(document, catalog, doubling)


def test_a_template_that_writes_too_much_is_refused(document: Document, catalog: TemplateCatalog) -> None:
    body = "{% for a in range(99999) %}" + "many words " * 40 + "{% endfor %}"
    assert problem(document, catalog, body) == "ours.md.j2: it makes more than 16 MB"


def test_what_no_database_takes_is_taken_out_of_an_own_template(document: Document, catalog: TemplateCatalog) -> None:
    write(catalog, "ours", "a\x00b")
    assert sandbox.render(document, catalog, "ours")[0].body == "a\u2400b"


def test_a_template_that_calls_itself_is_stopped(document: Document, catalog: TemplateCatalog) -> None:
    assert "calls itself" in problem(document, catalog, "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")


def test_a_template_sees_nothing_of_the_bots_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    assert "SLACK_BOT_TOKEN" in os.environ
    assert "SLACK_BOT_TOKEN" not in sandbox.environment()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{{ nothing }}", "ours.md.j2, line 3: 'nothing' is undefined"),
        ("{% if %}", "ours.md.j2, line 3: Expected an expression, got 'end of statement block'"),
        ("{{ 1 | shout }}", "ours.md.j2, line 3: No filter named 'shout'."),
        (
            '{% include "postmortem/parts/nosuch.md.j2" %}',
            "ours.md.j2, line 3: there is no file postmortem/parts/nosuch",
        ),
        ("{{ 1 / 0 }}", "ours.md.j2, line 3: division by zero"),
        (f"{END}{SECTION}", "ours.md.j2, line 3: a section's key is"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_line(
    document: Document, catalog: TemplateCatalog, body: str, said: str
) -> None:
    assert problem(document, catalog, body).startswith(said)


def test_a_template_without_sections_or_of_another_encoding_or_size_is_refused(
    document: Document, catalog: TemplateCatalog
) -> None:
    assert catalog.custom_dir
    path = catalog.custom_dir / "ours.md.j2"
    for content, said in (
        (b"just words", "it has no section"),
        ("gr\u00fcn".encode("latin-1"), "not written in UTF-8"),
        (b"x" * 300_000, "bytes, and"),
    ):
        path.write_bytes(content)
        with pytest.raises(BrokenTemplateError, match=said):
            sandbox.render(document, catalog, "ours")


def test_a_broken_template_is_replaced_by_the_shipped_one_of_its_name_else_the_classic(
    document: Document, catalog: TemplateCatalog
) -> None:
    for name, instead in (("full", "full"), ("ours", "classic"), ("gone", "classic")):
        if name != "gone":
            write(catalog, name, "{{ nothing }}")
        drafted = drafting.draft_sections(document, name, catalog)
        assert drafted.instead == instead
        assert drafted.problem
        assert drafted.sections == drafting.draft_sections(document, instead, TemplateCatalog()).sections


def test_many_hostile_templates_at_once_wait_for_their_turn_or_are_told_to(
    document: Document, catalog: TemplateCatalog
) -> None:
    write(catalog, "ours", LOOP)
    said: list[str] = []

    def ask() -> None:
        with pytest.raises(BrokenTemplateError) as caught:
            sandbox.render(document, catalog, "ours", limit_s=0.5, wait_s=0.8)
        said.append(str(caught.value))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 12
    assert sum("was stopped" in each for each in said) >= sandbox.MOST_PROCESSES
    assert any("too many" in each for each in said)


def test_settings_name_the_variable_of_a_folder_or_a_template_that_is_not_there(tmp_path: Path) -> None:
    write(TemplateCatalog(tmp_path), "ours", "x")
    chosen = Settings.from_env({"SCRIBE_TEMPLATES": str(tmp_path), "SCRIBE_TEMPLATE": "ours"})
    assert chosen.catalog.is_custom(chosen.template)
    with pytest.raises(UsageError, match=r"SCRIBE_TEMPLATES: .*nosuch is no folder"):
        Settings.from_env({"SCRIBE_TEMPLATES": str(tmp_path / "nosuch")})
    with pytest.raises(UsageError, match=r"SCRIBE_TEMPLATE: There is no template “clasic”. Did you mean classic\?"):
        Settings.from_env({"SCRIBE_TEMPLATE": "clasic"})


def test_a_document_of_thousands_of_entries_fits_an_own_template(catalog: TemplateCatalog) -> None:
    told = [entry(number, "did", after(number), "restarted", author=f"x{number}") for number in range(5_000)]
    document = assemble(INCIDENT, told, [], zone=ZoneInfo("UTC"))
    write(catalog, "ours", '{% include "postmortem/parts/timeline.md.j2" %}')
    assert drafting.draft_sections(document, "ours", catalog).sections[0].body.count("\n- ") == 5_000
