"""Each kind of entity that Slack writes between `<` and `>`: what people see of it, whole, and safe on the way out."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.documents.escaping import slack as escape
from bot.slack.text import plain_text

NAMES = {"U0BOT": "scribe", "U123": "alice", "W456": "bob", "S1": "dba", "C1": "ops"}
KEPT = (
    "<", ">", "<>", "<|>", "<||>", "<http://>", "<http://|>", "<http://|x>", "<mailto:>", "<mailto:|x>", "<tel:>",
    "<tel:|x>", "<@>", "<#>", "<!>", "<@|x>", "<#|x>", "<!|x>", "<@U1>", "<@u123>", "<@B0OTHER>", "<#general>",
    "<#c1|x>", "<!subteam^>", "<!subteam^s1|x>", "<!doctype html>", "<a|b>", "<a|b|c>", "<a b>", "< http://a.example>",
    "<http://a\n.example>", "<http://a.example|<b>>", "a < b > c", "<javascript:alert(1)|x>", "List<String>", "a<b>c",
    "<-", "->", "<<<", ">>>", "<!date^nonsense^{time}>", "<!date^^>",
)  # fmt: skip
"""What is no entity, or a broken one: every character stays."""
READ = (
    ("<http://deploy.sh|deploy.sh>", "deploy.sh"),
    ("<https://deploy.sh|deploy.sh>", "deploy.sh"),
    ("<http://Deploy.sh/|Deploy.sh>", "Deploy.sh"),
    ("<http://deploy.sh|deploy.sh>, then", "deploy.sh, then"),
    ("<http://db1.prod.example:5432/x|db1.prod.example:5432/x>", "db1.prod.example:5432/x"),
    ("<http://10.0.0.1|10.0.0.1>", "10.0.0.1"),
    ("<http://a.example?x=1&amp;y=2|a.example?x=1&amp;y=2>", "a.example?x=1&y=2"),
    ("<https://a.example>", "https://a.example"),
    ("<https://a.example|https://a.example>", "https://a.example"),
    ("<https://a.example|>", "https://a.example"),
    ("<https://a.example|the board>", "the board (https://a.example)"),
    ("<https://evil.example|good.example>", "good.example (https://evil.example)"),
    ("<https://a.example/x|a.example>", "a.example (https://a.example/x)"),
    ("<http://a.example|b|c>", "b|c (http://a.example)"),
    ("<<http://a.example>>", "<http://a.example>"),
    ("<ftp://a.example|a.example>", "a.example"),
    ("<slack://channel?id=1|open>", "open (slack://channel?id=1)"),
    ("<mailto:a@b.example|a@b.example>", "a@b.example"),
    ("<mailto:a@b.example>", "a@b.example"),
    ("<mailto:a@b.example|Ann>", "Ann (a@b.example)"),
    ("<tel:+4930123|+49 30 123>", "+49 30 123"),
    ("<tel:+4930123|(+49) 30-123>", "(+49) 30-123"),
    ("<tel:112>", "112"),
    ("<tel:112|the firemen>", "the firemen (112)"),
    ("<#C1|general>", "#general"),
    ("<#C1|>", "#ops"),
    ("<#C1>", "#ops"),
    ("<#C2|>", "#C2"),
    ("<#C2>", "#C2"),
    ("<#G2|secret-plans>", "#secret-plans"),
    ("<!subteam^S1|@dba>", "@dba"),
    ("<!subteam^S1|dba>", "@dba"),
    ("<!subteam^S1>", "@dba"),
    ("<!subteam^S1|>", "@dba"),
    ("<!subteam^S2>", "@S2"),
    ("<!date^1392734382^{date_short}|Feb 18, 2014>", "Feb 18, 2014"),
    ("<!date^1392734382^{date}^https://a.example|Feb 18>", "Feb 18"),
    ("<!date^1392734382^{time}>", "2014-02-18 14:39 UTC"),
    ("<!date^nonsense^{time}|noon>", "noon"),
    ("<!here>", "@here"),
    ("<!here|here>", "@here"),
    ("<!here|@here>", "@here"),
    ("<!channel>", "@channel"),
    ("<!everyone>", "@everyone"),
    ("<@U123>", "@alice"),
    ("<@U123|handle>", "@alice"),
    ("<@W456|>", "@bob"),
    ("<@U789|eve>", "@eve"),
    ("<@U789>", "@U789"),
    ("<@U0BOT> did", "@scribe did"),
    ("<@U0BOT|scribe-prod> did", "@scribe did"),
    ("&lt;!here&gt;", "<!here>"),
    ("&amp;lt;", "&lt;"),
    ("&amp;amp;", "&amp;"),
    ("<@U123><!here><#C1>", "@alice@here#ops"),
    ("`<!here>` <!here>", "`<!here>` @here"),
)
PINGS = re.compile(r"<[!@#]")
PIECES = st.sampled_from([*KEPT, *(raw for raw, _ in READ), " ", "\n", "a", "|", "`", "&lt;", "&amp;"])


@pytest.mark.parametrize(("raw", "words"), [*READ, *((raw, raw) for raw in KEPT)])
def test_an_entity_reads_as_people_see_it_and_a_broken_one_keeps_every_character(raw: str, words: str) -> None:
    assert plain_text(raw, name_of=NAMES.get).words == words


def test_groups_keep_their_id_also_without_a_label() -> None:
    read = plain_text("<!subteam^S1|@dba> <!subteam^S2> <!subteam^S3|>", name_of=NAMES.get)
    assert read.groups == {"dba": "S1", "S2": "S2", "S3": "S3"}


@given(st.lists(PIECES, max_size=8).map("".join))
def test_what_was_read_once_reads_the_same_and_goes_out_escaped_once(raw: str) -> None:
    words = plain_text(raw, name_of=NAMES.get).words
    out = escape(words)
    assert PINGS.search(out) is None
    assert html.unescape(out) == words
    assert plain_text(out, name_of=NAMES.get).words == words


@given(st.text(alphabet="<>|@#ab \n.:-", max_size=40))
def test_what_is_no_entity_is_left_as_it_was(raw: str) -> None:
    assert plain_text(raw, name_of=NAMES.get).words == raw


@given(
    st.lists(st.sampled_from(["deploy", "sh", "x", "1", "9", "Ä"]), min_size=2, max_size=4),
    st.text("ab/?=%", max_size=6),
)
def test_a_domain_that_slack_linked_reads_as_it_was_typed(parts: list[str], path: str) -> None:
    typed = ".".join(parts) + (f"/{path}" if path else "")
    assert plain_text(f"ran <http://{typed}|{typed}> now").words == f"ran {typed} now"
