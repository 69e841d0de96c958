"""How a document prints action items: everything that is known of each, grouped where somebody said what it is for."""

from datetime import date
from zoneinfo import ZoneInfo

from bot.documents import rendering
from bot.domain.postmortem.assemble import assemble
from tests.support import casebook
from tests.support.casebook import item

INCIDENT = casebook.incident(casebook.load(casebook.NAMES[0]))
OPS_12 = "https://acme.example/browse/OPS-12"
DUE = date(2026, 3, 4)


def test_action_items_print_what_is_known_of_them_by_purpose_where_one_is_said() -> None:
    criterion = "done when: a restore passes"
    items = [
        item(1, "detect: alert on lag", kind="short-term", state="done"),
        item(2, f"prevent: test backups, {criterion}", owner="sre", priority="high", due_on=DUE, kind="short-term",
             ticket=OPS_12),
        item(3, "bare words", kind="short-term", state="proposed", ticket="https://git.example/acme/app/issues/7"),
        item(4, "see https://acme.example/browse/OPS-9", kind="long-term", ticket="https://acme.example/browse/OPS-9"),
        item(5, "too dear", owner="sre", state="dropped", reason="no money"),
    ]  # fmt: skip
    document = assemble(INCIDENT, [], items, zone=ZoneInfo("UTC"))
    body = {each.key: each.body for each in rendering.render_draft(document)}["measures"]
    assert body.partition("\n\n*Not known")[0].split("\n") == [
        "### Short-term",
        "",
        "**To prevent it**",
        "",
        f"- **#2** test backups — sre, high priority, by Wednesday 4 March 2026, open, [OPS-12]({OPS_12})",
        "  - *Done when:* a restore passes.",
        "",
        "**To detect it sooner**",
        "",
        "- **#1** alert on lag — *done*",
        "",
        "**Other**",
        "",
        "- **#3** bare words — proposed, [app #7](https://git.example/acme/app/issues/7)",
        "",
        "### Long-term",
        "",
        "- **#4** see https://acme.example/browse/OPS-9 — open",
        "",
        "### Decided against",
        "",
        "- **#5** too dear — sre: no money",
    ]
