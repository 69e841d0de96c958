import pytest

from bot.fakeslack.actions import format_text

USERS = {"alice": "U1", "bob.b": "U2"}
CHANNELS = {"inc-1": "C1"}


@pytest.mark.parametrize(
    ("typed", "in_command", "in_message"),
    [
        ("a & b < c > d", "a &amp; b &lt; c &gt; d", "a &amp; b &lt; c &gt; d"),
        ("ask @alice", "ask <@U1|alice>", "ask <@U1>"),
        ("ask @alice, @bob.b.", "ask <@U1|alice>, <@U2|bob.b>.", "ask <@U1>, <@U2>."),
        ("see #inc-1", "see <#C1|inc-1>", "see <#C1>"),
        ("<@U1> did", "<@U1|alice> did", "<@U1> did"),
        ("<@U404> did", "&lt;@U404&gt; did", "&lt;@U404&gt; did"),
        ("@nobody and #nothing", "@nobody and #nothing", "@nobody and #nothing"),
        ("mail bob@alice.example", "mail bob@alice.example", "mail bob@alice.example"),
        ("@channel wake up", "<!channel> wake up", "<!channel> wake up"),
        ("<!channel>", "&lt;!channel&gt;", "&lt;!channel&gt;"),
        (
            "https://x.y/?a=1&b=2 broke",
            "<https://x.y/?a=1&amp;b=2> broke",
            "<https://x.y/?a=1&amp;b=2> broke",
        ),
        ("&lt;", "&amp;lt;", "&amp;lt;"),
    ],
)
def test_text_arrives_as_slack_writes_it(typed: str, in_command: str, in_message: str) -> None:
    assert format_text(typed, users=USERS, channels=CHANNELS, with_names=True) == in_command
    assert format_text(typed, users=USERS, channels=CHANNELS, with_names=False) == in_message


def test_groups_of_people_keep_their_id_and_have_a_label_in_commands_alone() -> None:
    typed, known = "ask @sre-berlin, and @sre or @sres", {"sre": "S1", "sre-berlin": "S2"}
    for with_names, labels in ((True, ("|@sre-berlin", "|@sre")), (False, ("", ""))):
        sent = format_text(typed, users={}, channels={}, groups=known, with_names=with_names)
        assert sent == f"ask <!subteam^S2{labels[0]}>, and <!subteam^S1{labels[1]}> or @sres"
