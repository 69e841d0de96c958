import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError
from markdown_it import MarkdownIt

from bot.documents import rendering
from bot.documents.export import FORMATS
from bot.documents.picture.timeline import draw_timeline
from bot.documents.templates import TemplateCatalog
from bot.domain.incident.lifecycle import lifecycle
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.causes import causes
from bot.errors import UsageError
from bot.vocabulary import KINDS
from storage.values import ActionItem, Section, TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry, item
from tests.support.editions import drafted

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
INCIDENT = casebook.incident(casebook.load(casebook.NAMES[0]))
CLOUDFLARE, GITLAB, GOOGLE, *_ = casebook.NAMES
HOSTILE = (
    "<img src=x onerror=alert(1)> [x](http://evil) ![y](z) *b* _c_ `d` | # <!channel> <@U1> &lt; @channel"
    " </li>\n# no heading\n```\n<script>alert(1)</script>\n- no item\n\x00\u202e"
)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def sections(
    entries: list[TimelineEntry], items: list[ActionItem] | None = None, zone: str = "UTC"
) -> dict[str, Section]:
    document = assemble(INCIDENT, entries, items or [], zone=ZoneInfo(zone))
    return {section.key: section for section in rendering.render_draft(document)}


def case_sections(name: str) -> dict[str, Section]:
    case = casebook.load(name)
    document = assemble(casebook.incident(case), casebook.entries(case), casebook.items(case), zone=casebook.zone(case))
    return {section.key: section for section in rendering.render_draft(document)}


@pytest.mark.parametrize("name", casebook.NAMES)
def test_a_sample_case_drafts_every_section_of_the_classic_form(name: str) -> None:
    drafted = case_sections(name)
    assert list(drafted) == ["summary", "timeline", "cause", "measures", "lessons", "response", "still-open"]
    assert drafted["summary"].heading == "Issue summary"
    assert all(section.body == section.body.strip() != "" for section in drafted.values())
    assert not any("\n\n\n" in section.body or "None" in section.body for section in drafted.values())
    told = [section for key, section in drafted.items() if key not in {"timeline", "still-open"}]
    assert 120 <= sum(len(section.body.split()) for section in told) <= 600


@pytest.mark.parametrize("name", casebook.NAMES)
def test_a_draft_holds_every_word_typed_in_a_sample_case(name: str) -> None:
    case = casebook.load(name)
    file = rendering.markdown(casebook.incident(case), case_sections(name).values()).replace("**", "")
    # Several causes of one entry stand apart.
    entries = casebook.entries(case)
    told = [each.text for entry in entries for each in (causes(entry) if entry.kind == "cause" else [entry])]
    told += [item.text for item in casebook.items(case)]
    assert [words for words in told if words.lower() not in file.lower()] == []


def test_a_timeline_over_midnight_names_each_day_once() -> None:
    timeline = case_sections(GITLAB)["timeline"].body
    assert timeline.count("31 January 2017") == 1
    assert timeline.count("1 February 2017") == 1
    assert timeline.index("**23:28** Note") < timeline.index("Wednesday 1 February") < timeline.index("**00:36**")
    assert "goes offline for database maintenance — carol-comms\n" in timeline
    assert "recorded" not in timeline


def test_a_timeline_away_from_utc_gives_both_clocks_and_utcs_date_where_it_is_another() -> None:
    timeline = case_sections(GOOGLE)["timeline"].body
    assert "Tuesday 30 April 2013, times in PDT (America/Los_Angeles, UTC-7)" in timeline
    assert "- **18:19 PDT** (01:19 UTC, 1 May) Note: a config change" in timeline
    assert "- **18:26 PDT** (01:26 UTC, 1 May) Detected by monitoring: pagers went off" in timeline


def test_a_silence_is_told_with_its_day_and_length() -> None:
    still_open = case_sections(GITLAB)["still-open"].body
    assert "- 15 h 42 min, from 1 February, 01:18 UTC to 17:00 UTC" in still_open
    assert "- 1 h 8 min, from 31 January, 23:28 UTC to 1 February, 00:36 UTC" in still_open
    assert "**Late entries:** " in still_open


def test_what_is_unknown_is_said_and_asked() -> None:
    drafted = sections([])
    assert "When this SEV1 incident began is not known." in drafted["summary"].body
    assert "- When did the impact begin? `/started at 2019-07-02 13:45 UTC`" in drafted["still-open"].body
    assert "Nothing is on the timeline yet." in drafted["timeline"].body
    assert "`/actionitem @owner" in drafted["still-open"].body
    assert "\n- Who was hurt, and how? `/impact at " in drafted["still-open"].body
    untold = ("cause", "measures", "lessons", "response")
    assert {drafted[key].body for key in untold} == {"*Nothing is recorded yet.*"}
    assert "unknown" not in "".join(section.body for section in drafted.values())
    assert "0 s" not in "".join(section.body for section in drafted.values())


def test_items_show_number_owner_date_state_and_why_they_were_dropped() -> None:
    items = [
        item(1, "fix_it", owner="dba", kind="short-term", due_on=date(2026, 4, 1), state="done"),
        item(2, "move", kind="long-term", state="dropped", reason="too dear"),
    ]
    measures = sections([], items)["measures"].body
    assert "- **#1** fix_it — dba, by Wednesday 1 April 2026, *done*" in measures
    assert "- **#2** move: too dear" in measures


def test_a_pasted_stack_trace_stands_as_a_block_within_its_bullet() -> None:
    timeline = sections([entry(1, "note", after(0), "crashed:\nTraceback\n\n\n  ```x```"), entry(2, "note", after(1))])
    assert (
        "**12:00** Note: crashed: — alice\n  ````text\n  Traceback\n\n\n    ```x```\n  ````\n- **12:01** Note"
        in timeline["timeline"].body
    )


def test_the_response_names_who_led_and_who_recorded() -> None:
    incident = replace(INCIDENT, lead="carol")
    told = [entry(1, "escalated", after(0), "to the database team")]
    document = assemble(incident, told, [], zone=ZoneInfo("UTC"))
    *_, response, still_open = rendering.render_draft(document)
    assert response.body == "Led by carol. The timeline has 1 escalation."
    assert "**Recorded by** alice." in still_open.body


def test_the_summary_says_when_there_is_more_than_one_cause() -> None:
    told = [
        entry(1, "cause", after(0), "a full disk"),
        entry(2, "cause", after(1), "no alert", qualifier="process"),
    ]
    drafted = sections(told)
    assert "**Root cause:** A full disk. No alert." in drafted["summary"].body
    third = [*told, entry(3, "cause", after(2), "nobody knew", qualifier="human")]
    assert "**Root cause:** A full disk. Two more are named below." in sections(third)["summary"].body
    assert "- A full disk.\n- Process: no alert." in drafted["cause"].body


def test_a_message_link_is_kept_only_when_it_is_a_plain_web_address() -> None:
    link = "https://x.slack.com/archives/C1/p1?thread_ts=1.2&cid=C1"
    timeline = sections(
        [
            entry(1, "note", after(0), "a", permalink=link),
            entry(2, "note", after(0), "b", permalink="javascript:alert(1)"),
            entry(3, "note", after(0), "c", permalink="https://x/) [y](z"),
        ]
    )["timeline"].body
    assert timeline.count("[message](") == 1
    assert f"[message]({link.replace('&', '&amp;')})" in timeline


def hostile_everywhere(text: str) -> dict[str, Section]:
    told = [entry(number, kind, after(number), text, author=text) for number, kind in enumerate(KINDS, 1)]
    items = [item(1, text, owner=text, kind="short-term"), item(2, text, state="dropped", reason=text)]
    return sections(told, items)


def tokens(body: str) -> set[str]:
    parsed = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body)
    return {token.type for token in parsed} | {child.type for token in parsed for child in token.children or []}


def test_hostile_words_in_every_field_break_no_section() -> None:
    harmless = {key: tokens(section.body) for key, section in hostile_everywhere("words\nand more").items()}
    for key, section in hostile_everywhere(HOSTILE).items():
        assert tokens(section.body) <= harmless[key] | {
            "code_inline",
            "fence",
            "strong_open",
            "strong_close",
            "text_special",
        }
        assert "<!channel" not in re.sub(r"^ *(`{3,}).*?^ *\1$", "", section.body, flags=re.DOTALL | re.MULTILINE)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_words_change_the_shape_of_a_section(text: str) -> None:
    shape = tokens(sections([entry(1, "note", after(0), "x")])["timeline"].body)
    assert tokens(sections([entry(1, "note", after(0), text)])["timeline"].body) <= shape | {
        "code_inline",
        "fence",
        "text_special",
    }


def test_a_whole_file_has_its_title_and_a_heading_a_section() -> None:
    file = rendering.markdown(INCIDENT, [Section(key="a", heading="First", body="*kept* as it is")])
    assert file == f"# INC-1: {INCIDENT.title}\n\n## First\n\n*kept* as it is\n"


def test_an_unknown_template_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="classic"):
        rendering.render_draft(assemble(INCIDENT, [], [], zone=ZoneInfo("UTC")), "nosuch")
    assert "classic" in TemplateCatalog().names()


def test_ten_thousand_entries_are_all_drafted() -> None:
    told = [
        entry(
            number,
            "did",
            after(number),
            f"restarted api_{number} *again* <b> & `c`",
            recorded_at=after(number + 3),
        )
        for number in range(1, 10_001)
    ]
    drafted = sections(told, zone="America/Los_Angeles")
    assert drafted["timeline"].body.count("\n- ") >= 9_999


class Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_page_needs_nothing_from_anywhere_and_holds_its_picture() -> None:
    told = [entry(1, "detected", after(0), HOSTILE), entry(2, "resolved", after(9), HOSTILE)]
    svg = draw_timeline(INCIDENT, told, lifecycle(told), zone=ZoneInfo("UTC"))
    edited = Section(key="notes", heading="<b>Notes</b>", body="<script>alert(1)</script> [x](javascript:alert(1))")
    page = Page(rendering.page(INCIDENT, [*sections(told).values(), edited], svg))
    assert not {"script", "link", "img", "iframe", "b", "image", "use"} & set(page.tags)
    assert not {"src", "href", "style", "onerror", "xlink:href"} & set(page.attributes)
    assert page.tags.count("svg") == page.tags.count("h1") == 1
    policy = next(value for value in page.attributes["content"] if "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "<img src=x onerror=alert(1)>" in page.words


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Kathmandu"])
def test_each_line_of_the_timeline_has_the_mark_of_its_entry(zone: str) -> None:
    incident = replace(INCIDENT, timezone=zone)
    told = [
        entry(n, kind.name, after(7 * (n // 3)), f"{kind.label} {n}: `x` *y* and did", qualifier=qualifier,
              approximate=n % 4 == 1, until_at=after(7 * (n // 3) + 900 * (n % 5)) if n % 3 == 0 else None)
        for n, (kind, qualifier) in enumerate([(k, q) for k in KINDS.values() for q in (None, *k.qualifiers)], 1)
    ]  # fmt: skip
    export = drafted(incident, told, [])
    assert export.postmortem
    [body] = [each.body for each in export.postmortem.sections if each.key == "timeline"]
    lines = re.findall(r'<li id="entry-(\d+)".*?</a>(.*?)</li>', FORMATS["html"](export), re.DOTALL)
    assert len(lines) == len(re.findall("^- ", body, re.MULTILINE)) > 15
    labels = {each.number: f"{KINDS[each.kind].label} {each.number}:" for each in told}
    assert [line for number, line in lines if labels[int(number)] not in line] == []


def test_slack_words_are_escaped_once_and_unknown_facts_are_said() -> None:
    template = rendering._environment("slack").from_string("*{{ label }}* {{ text }} {{ at }}")
    assert template.render(label="Did", text="<!channel> & *x*", at=None) == (
        "*Did* &lt;!channel&gt; &amp; *x* unknown"
    )


def test_a_name_a_template_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        rendering._environment("markdown").from_string("{{ nothing }}").render()


def test_a_template_cannot_reach_into_python() -> None:
    for source in ("{{ x.__class__.__mro__ }}", "{{ x.append(1) }}"):
        with pytest.raises((SecurityError, UndefinedError)):
            rendering._environment("markdown").from_string(source).render(x=[])


CODED = "ran `kubectl get <pod> -l a=*b*` for 5% `curl -m 5%`\n```\nif a < b:\n    _x_()\n```\nthen *all* was <well>"


@pytest.mark.parametrize("kind", ["note", "impact", "cause", "did", "lesson", "resolved"])
def test_code_is_code_in_markdown_html_and_confluence(kind: str) -> None:
    told = [
        entry(1, "detected", after(0), "x"),
        entry(2, kind, after(1), CODED, qualifier="well" * (kind == "lesson") or None),
    ]
    drafted = list(sections(told).values())
    file = rendering.markdown(INCIDENT, drafted)
    assert "`kubectl get <pod> -l a=*b*`" in file
    assert "`curl -m 5%`" in file
    assert "  ```text\n  if a < b:\n      _x_()\n  ```\n\n  then \\*all\\* was &lt;well>" in file
    page = rendering.page(INCIDENT, drafted, "")
    assert "<code>kubectl get &lt;pod&gt; -l a=*b*</code>" in page
    assert "if a &lt; b:\n    _x_()\n</code></pre>" in page
    confluence = rendering.confluence(INCIDENT, drafted, version=1)
    assert "<code>kubectl get &lt;pod&gt; -l a=*b*</code>" in confluence
    assert "<![CDATA[if a < b:\n    _x_()]]>" in confluence


def test_words_that_begin_with_a_fence_begin_with_its_first_line_as_code() -> None:
    timeline = sections([entry(1, "note", after(0), "```\nTraceback:\n  line 1\n```\nand so on")])["timeline"].body
    assert "Note: `Traceback:` — alice\n  ```text\n    line 1\n  ```\n\n  and so on" in timeline


def test_prose_between_fences_stands_apart_from_the_line_above() -> None:
    told = [entry(1, "note", after(0), "first\n- second\nthird\n```\na\n\nb\n```\n\nlast")]
    timeline = sections(told)["timeline"].body
    assert "first — alice\n\n  \\- second\\\n  third\n\n  ```text\n  a\n\n  b\n  ```\n\n  last" in timeline


def test_a_log_is_one_block_without_the_marks_it_was_pasted_with() -> None:
    told = [entry(1, "note", after(0), "logs: ```\none\ntwo\n```")]
    document = assemble(INCIDENT, told, [], zone=ZoneInfo("UTC"))
    drafted = rendering.render_draft(document, "sysadmin")
    assert any("```text\none\ntwo\n```" in section.body for section in drafted)


def test_the_picture_shows_code_without_its_marks() -> None:
    told = [entry(1, "note", after(0), "ran `kubectl get <pod>` twice")]
    picture = draw_timeline(INCIDENT, told, lifecycle(told), zone=ZoneInfo("UTC"))
    assert "ran kubectl get &lt;pod&gt; twice" in picture


def test_impact_is_told_in_sentences_with_code_and_links_as_they_are_and_as_typed_in_the_timeline() -> None:
    told = {
        "checkout fails for 20% of users": "Checkout fails for **20% of users**.",
        "`checkout` returns 503!": "`checkout` returns 503!",
        "see https://status.example/i?a=1_b_2": "See https://status.example/i?a=1_b_2.",
        "p99 went to 5 s": "p99 went to **5 s**.",
        "money: $4,000 in refunds": "**$4,000** in refunds.",
        "```\ncurl: timeout\nretry\n```": "`curl: timeout`\n  ```text\n  retry\n  ```",
    }
    drafted = sections([entry(number, "impact", after(number), words) for number, words in enumerate(told, 1)])
    for shown in told.values():
        assert shown.lower().rstrip(".") in drafted["summary"].body.lower()
    assert "Impact: checkout fails for 20% of users — alice" in drafted["timeline"].body
    assert "Impact: $4,000 in refunds — alice" in drafted["timeline"].body
