"""Any template of the operator's is rendered in the sandbox, or replaced by a shipped one with the problem named."""

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.documents import drafting
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.document import Document
from tests.support.casebook import entry
from tests.support.hostile import CONTROLS, PIECES, UNPRINTABLE, times
from tests.unit.documents.test_rendering import INCIDENT, after


@pytest.fixture
def document() -> Document:
    return assemble(INCIDENT, [entry(1, "detected", after(0), "disk *full*")], [], zone=ZoneInfo("UTC"))


@pytest.fixture
def catalog_with(tmp_path: Path) -> Callable[[str], TemplateCatalog]:
    def catalog(source: str) -> TemplateCatalog:
        (tmp_path / "ours.md.j2").write_text(source, encoding="utf-8", errors="replace")
        return TemplateCatalog(tmp_path)

    return catalog


JINJA = st.sampled_from(
    [
        "{{ ", " }}", "{% ", " %}", "{# ", " #}", "document", "section", "self", "loop", "|attr('__class__')",
        ".__class__", "[0]", "('summary', 'Ours')", "call ", "endcall", "for a in range(3)", "endfor", "if 1 / 0",
        "endif", "set x = ", "include 'parts/timeline.md.j2'", "import 'os' as os", "extends 'classic.md.j2'",
        "macro m()", "endmacro", "1 ** 99", "''.join", "|fenced", "|url", "|duration", "raw", "endraw", "namespace()",
        "filter upper", "endfilter",
    ]
)  # fmt: skip
SOURCES = st.lists(st.one_of(JINJA, PIECES), max_size=12).map("".join)


@times(6)
@given(source=SOURCES, framed=st.booleans())
@example(source="<script>alert(1)</script> <!channel> ![x](http://evil.example)", framed=True)
def test_any_template_drafts_or_the_shipped_one_takes_its_place(
    catalog_with: Callable[[str], TemplateCatalog], document: Document, source: str, *, framed: bool
) -> None:
    catalog = catalog_with(f'{{% call section("summary", "Ours") %}}{source}{{% endcall %}}' if framed else source)
    drafted = drafting.draft_sections(document, "ours", catalog)
    assert drafted.sections
    assert drafted.problem is None or CONTROLS.search(drafted.problem) is None, drafted.problem
    assert UNPRINTABLE.search("".join(f"{each.heading}{each.body}" for each in drafted.sections)) is None
