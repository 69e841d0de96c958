"""Records to be published: the sample cases in any template, and one of everything, typed by the worst."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.documents import rendering
from bot.documents.export import ExportRecord
from bot.documents.templates import DEFAULT
from bot.domain.incident.lifecycle import lifecycle
from bot.domain.postmortem.assemble import assemble
from bot.vocabulary import KINDS
from storage.values import ActionItem, Incident, Postmortem, Section, TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry, item

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script> | `a` || ``b | c`` \\| @everyone <!channel> <@U1> [x](javascript:alert(1)) "
    "![y](http://z/y.png) <b onclick=x>b</b> &lt;i&gt; ]]> <![CDATA[ --> <!-- # *b* _c_ ~~d~~ "
    "https://e.example/?f=1&g=2 \x00\x1b[31m \u202e {{ 7 * 7 }}\n"
    "# no heading\n| a | b |\n| --- | --- |\n- no item\n```\n</code></pre><img src=x onerror=alert(1)>\n"
    "~~~\n]]>\n> no quote"
)


def drafted(
    incident: Incident,
    entries: list[TimelineEntry],
    items: list[ActionItem],
    *,
    template: str = DEFAULT,
    more: tuple[Section, ...] = (),
) -> ExportRecord:
    document = assemble(incident, entries, items, zone=ZoneInfo(incident.timezone))
    sections = (*rendering.render_draft(document, template), *more)
    newest = Postmortem(template=template, version=1, sections=sections, drafted_at=NOON, drafted_by="alice")
    return ExportRecord(
        incident=incident, entries=entries, items=items, postmortem=newest, lifecycle=lifecycle(entries)
    )


def record(name: str, template: str = DEFAULT) -> ExportRecord:
    """The sample case of that name."""
    case = casebook.load(name)
    return drafted(casebook.incident(case), casebook.entries(case), casebook.items(case), template=template)


def story_of_everything(template: str = DEFAULT, *, edited: bool = True) -> ExportRecord:
    """Every kind of entry, with every qualifier, and items in every state; all words are hostile."""
    incident = replace(
        casebook.incident(casebook.load(casebook.NAMES[0])), title=f"Down {HOSTILE.splitlines()[0]}", lead="<b>bob</b>"
    )
    told = [(kind.name, qualifier) for kind in KINDS.values() for qualifier in (None, *kind.qualifiers)]
    entries = [
        entry(
            number, kind, NOON + timedelta(minutes=number), HOSTILE, qualifier=qualifier, author="a|<i>b</i>",
            recorded_at=NOON + timedelta(minutes=number + 5 * (number % 2)), permalink="https://x.slack.com/p1?a=1&b=2",
            revisions=number % 3,
        )
        for number, (kind, qualifier) in enumerate(told, 1)
    ]  # fmt: skip
    items = [
        item(number, HOSTILE, owner="o|<u>", kind=kind, due_on=date(2026, 4, 1), state=state, reason=HOSTILE)
        for number, (kind, state) in enumerate(
            [("short-term", "open"), ("long-term", "done"), (None, "dropped"), (None, "open")], 1
        )
    ]
    typed = Section(key="notes", heading="Notes of <b>ours</b>", body=EDITED, edited=True)
    return drafted(incident, entries, items, template=template, more=(typed,) if edited else ())


EDITED = f"""# A heading too high

##### and one too deep

| left | right |
| :--- | ---: |
| 1 | 2 |

- one
  1. two
     > three

<div onclick="x()">raw</div> <script>alert(1)</script>

[link](https://example.org/?a=1&b=2) ![picture](https://example.org/p.png) [bad](javascript:alert(1))

    indented ]]> code

```sh
echo ']]>' && {HOSTILE.splitlines()[0]}
```

> quoted
> - list

---

last\\
line
"""
"""What a person may make of a section: everything Markdown has, and what is no Markdown."""
