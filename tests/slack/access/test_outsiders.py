"""Who is no full member sees the incident of the channel they are in, and nothing else, whatever they type or press."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, product
from typing import Any

import pytest

from bot.clock import SetClock
from bot.domain.incident.policy import OUTSIDERS, POLICY
from bot.fakeslack.delivery import PayloadDelivery
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.faults import Fault
from bot.handlers.items import buttons
from bot.handlers.routes import FOR_MEMBERS, INTERACTIONS, ROUTES
from bot.slack.outbound import home
from bot.vocabulary import ADD_TO_TIMELINE, COMMANDS, KINDS
from storage.database import Database
from storage.values import GUEST, MEMBER, ONE_CHANNEL_GUEST, OUTSIDE, UNKNOWN
from tests.slack.access.test_private import Scenario
from tests.slack.access.test_workspaces import CHOSEN, FILLED, OURS
from tests.support.abroad import HEADS, declares
from tests.support.ledger import entries, incident, incident_count, items, rewound
from tests.support.workplace import Workplace, workplace

SECRETS = ("zebra", "zelda")
"""Words of other channels' incidents, and the name of somebody who is on no other record."""
PARTNER = "T0PARTNER0"
STANDINGS = {
    "guest": GUEST,
    "single-channel guest": ONE_CHANNEL_GUEST,
    "partner": OUTSIDE,
    "deactivated": "deactivated",
    "bot": "bot",
    "unknown": UNKNOWN,
}
PLACES = ("this channel", "another channel", "a private channel", "a direct message")
NUMBER = re.compile(r"INC-[2356]\b")
"""The names of the incidents that are not of the channel. INC-4 was of it, and is the example in many hints."""
NOT_TOLD = Fault(method="users.info", error="internal_error", status=200, retry_after_s=0)
"""Slack does not say who somebody is."""
_numbers = count()


@dataclass(frozen=True, slots=True)
class Scene:
    """INC-1 is of `here`, the first place. INC-2 is public and of another channel, INC-3 of a private one.

    INC-4 was of `here` and is merged into INC-2; INC-5 is private in INC-2's channel, INC-6 a duplicate of it there;
    INC-7, of `here`, is a duplicate of INC-2.
    """

    office: Workplace
    people: dict[str, str]
    places: dict[str, str]
    closed: frozenset[str]

    @property
    def here(self) -> str:
        return self.places["this channel"]

    def place(self, name: str, user: str) -> str:
        return self.places.get(name) or self.office.slack.workspace.direct(user).id

    def output(self, act: Callable[[], object]) -> str:
        """The answers, calls and files that `act` causes outside of the other incidents' own channels."""
        scenario = Scenario(self.office, self.closed, "", None, None)  # type: ignore[arg-type]
        return scenario.output(lambda _scenario: act()).casefold()

    def ask(self, typed: str, who: str, place: str = "this channel") -> Answer:
        user = self.people[who]
        answer = self.office.ask(typed, user=user, channel=self.place(place, user))
        self.office.slack.workspace.close_view(user, all_of_them=True)
        return answer


@pytest.fixture
def scene(sqlite: Database, clock: SetClock) -> Iterator[Scene]:
    with workplace(sqlite, clock=clock, SCRIBE_REACTIONS="pushpin", SCRIBE_PINS="on") as office:
        yield set_up(office)


def set_up(office: Workplace) -> Scene:
    slack = office.slack
    slack.scopes |= {"reactions:read", "channels:history", "groups:history", "im:history", "pins:read"}
    people = {
        "guest": slack.add_user("gus", restricted=True),
        "single-channel guest": slack.add_user("sol", ultra_restricted=True),
        "partner": slack.add_user("pat", team_id=PARTNER),
        "deactivated": slack.add_user("dee", deleted=True),
        "bot": slack.add_user("robot", is_bot=True),
        "member": office.carol,
        "zelda": slack.add_user("zelda"),
    }
    office.bot.refresh()
    people["unknown"] = slack.add_user("uma")
    slack.refuse_by(lambda method, _args: NOT_TOLD if method == NOT_TOLD.method else None)
    here = slack.add_channel("with-partners", shared=True, created_by=PARTNER)
    other, hidden = slack.add_channel("zebras"), slack.add_channel("acquisition", private=True)

    def typed(words: str, channel: str, user: str = people["zelda"]) -> None:
        office.ask(words, user=user, channel=channel)
        office.deliver()

    typed("/incident open SEV3 apples are late", here, office.alice)
    for channel in (other, hidden):
        typed("/incident open SEV1 the zebra is out", channel)
        for words in (
            "/impact 5% of zebra stables",
            "/actionitem @gus by friday: feed the zebra",
            "/actionitem @zelda: fence the zebra",
            "/incident lead @zelda",
            "/incident role comms @zelda",
            "/incident handover @zelda: the zebra is yours",
            "/resolved the zebra is back",
        ):
            typed(words, channel)
    typed("/resolved for now", here, office.alice)
    typed("/incident open SEV4 pears", here, office.alice)
    typed("/note ask the zebra", other, office.alice)
    typed("/incident merge INC-4 into INC-2", other, office.alice)
    typed("/resolved the zebra again", other)
    typed("/incident open SEV1 the zebra is hidden", other)
    typed("/incident private", other)
    typed("/resolved the zebra", other)
    typed("/incident open SEV2 the zebra is double", other)
    typed("/incident duplicate INC-5", other)
    typed("/incident open SEV4 plums", here, office.alice)
    typed("/incident duplicate INC-7 of INC-2", here, office.alice)
    typed("/reopened INC-1 apples again", here, office.alice)
    for words in (
        "/detected no apples",
        "/actionitem @alice: buy apples",
        "/incident lead @alice",
    ):
        typed(words, here, office.alice)
    assert incident(office, 4).merged
    assert incident(office, 7).state == "duplicate"
    places = {
        "this channel": here,
        "another channel": slack.add_channel("elsewhere"),
        "a private channel": slack.add_channel("secluded", private=True),
    }
    return Scene(office, people, places, frozenset({other, hidden}))


def hides(output: str, *, numbers: bool = True, of: object = "") -> None:
    """Fail, naming what it is the output `of`, if words of other incidents are in it or, as `numbers`, their names."""
    for secret in SECRETS:
        assert secret not in output, (of, output[max(0, output.index(secret) - 300) :][:600])
    if numbers and (found := NUMBER.search(output.upper())):
        raise AssertionError((of, output[max(0, found.start() - 300) :][:600]))


def test_the_stand_in_has_every_kind_of_person(scene: Scene) -> None:
    find = scene.office.bot.context.members.find
    found = {who: find(scene.office.slack.team_id, scene.people[who]) for who in STANDINGS}
    assert {who: member.standing if member else UNKNOWN for who, member in found.items()} == STANDINGS


def _of(scene: Scene, who: str = "") -> list[Any]:
    """What is recorded of two other incidents; for the guest less their own item, and what they propose beside it."""
    own = {"guest": 1}.get(who)
    return [
        (
            entries(scene.office, number),
            [each for each in items(scene.office, number) if own is None or (each.number != own and each.owner_id)],
        )
        for number in (2, 3)
    ]


NAMES = ("", " 1", " zeb", " INC-2", " INC-3 1", " INC-5 x", " INC-4 INC-2", " INC-2 1 words")
"""What is typed after each command; the last ones name incidents."""
IN_FULL = "guest"
"""Who types and presses everything everywhere: they have an item of another channel's incident.

For the others each two of person, place and words, or of person, button and value, meet somewhere.
"""


def _share(who: str, number: int, *, of: int) -> bool:
    """Whether the person takes this one of the combinations that are dealt out."""
    return who == IN_FULL or (number + list(STANDINGS).index(who)) % of == 0


@pytest.mark.parametrize("who", STANDINGS)
def test_no_command_shows_or_changes_another_channels_incident(scene: Scene, who: str) -> None:
    before = _of(scene)
    for (row, place), (column, name) in product(enumerate(PLACES), enumerate(NAMES)):
        if not _share(who, row + column, of=len(PLACES)):
            continue
        for typed in sorted((f"{head}{name}" for head in HEADS), key=lambda typed: (declares(typed), typed)):
            said = scene.output(lambda typed=typed, place=place: scene.ask(typed, who, place))  # type: ignore[misc]
            hides(said.replace(" zeb", ""), numbers="INC" not in name, of=(place, typed))
    assert _of(scene) == before


@pytest.mark.parametrize("place", ["this channel", "another channel"])
@pytest.mark.parametrize("who", ["guest", "partner", "unknown"])
def test_no_mention_shows_another_channels_incident(scene: Scene, who: str, place: str) -> None:
    office, user = scene.office, scene.people[who]
    channel = scene.place(place, user)

    def say(words: str) -> None:
        office.slack.say(user, channel, f"@scribe {words}")

    for name in ("", " INC-2", " INC-3 1"):
        for head in HEADS:
            said = scene.output(lambda head=head, name=name: say(f"{head.removeprefix('/')}{name}"))  # type: ignore[misc]
            hides(said, numbers=not name)
    for words in (
        "what is the status of INC-2?",
        "timeline INC-2?",
        "INC-2",
        "status?",
        "INC-2 status",
        "resolved INC-2?",
    ):
        hides(scene.output(lambda words=words: say(words)), numbers=False)  # type: ignore[misc]


def pressed(scene: Scene, who: str, channel: str | None, action: str, value: str) -> PayloadDelivery:
    """A click, as Slack delivers it: in a channel, else on the Home tab."""
    user = scene.people[who]
    payload: dict[str, Any] = {
        "type": "block_actions",
        "team": {"id": scene.office.slack.team_id, "domain": "x"},
        "user": {"id": user, "username": "x", "team_id": scene.office.slack.workspace.users[user].team_id},
        "container": {"type": "message", "channel_id": channel} if channel else {"type": "view", "view_id": "V1"},
        "trigger_id": f"pressed {next(_numbers)}",
        "actions": [{"type": "button", "block_id": "b", "action_id": action, "value": value}],
    }
    if channel:
        name = "directmessage" if channel.startswith("D") else "x"
        payload["channel"] = {"id": channel, "name": name}
    return PayloadDelivery(kind="interactive", payload=payload)


VALUES = (
    "INC-2 1", "INC-3 2", "INC-2", "INC-1 INC-2", "INC-2 INC-1", "INC-2 1 INC-1", "INC-2 drill", "INC-2 entry 1 x",
    "INC-2 card", "INC-2 card SEV1", "INC-2 2 undo", "INC-2 2 edit", "INC-2 folder", "INC-3 canvas anyway",
    "INC-2 1 2026-03-12T11:00:00.000+00:00", "INC-2 2 next week", "INC-2 2 U000000001", "INC-2 2 2026-04-01", "1",
    "2026-03-12T11:00:00.000+00:00 status INC-2", "2026-03-12T11:00:00.000+00:00 did INC-2 x",
)  # fmt: skip


@pytest.mark.parametrize("who", STANDINGS)
def test_no_forged_button_shows_or_changes_another_channels_incident(scene: Scene, who: str) -> None:
    before = _of(scene, who)
    user, deliver = scene.people[who], scene.office.slack.transport.deliver
    direct = scene.place("a direct message", user)
    tried = [(scene.here, each) for each in VALUES] + list(product((direct, None), VALUES[:3]))
    for row, action in enumerate([*INTERACTIONS, *home.CLICKS, *COMMANDS]):

        def press(row: int = row, action: str = action) -> None:
            for column, (place, value) in enumerate(tried):
                if _share(who, row + column, of=3):
                    assert deliver(pressed(scene, who, place, action, value)).status == 200

        # Of the incident of their own item a guest has that item's words, and nothing else.
        hides(scene.output(press).replace("feed the zebra", ""), numbers=False, of=action)
        scene.office.slack.workspace.close_view(user, all_of_them=True)
    assert _of(scene, who) == before


@pytest.mark.parametrize("who", STANDINGS)
def test_no_forged_form_shows_or_changes_another_channels_incident(scene: Scene, who: str) -> None:
    before = _of(scene, who)
    user, deliver = scene.people[who], scene.office.slack.transport.deliver

    def submit() -> None:
        for number, (callback_id, values) in enumerate(FILLED.items()):
            for channel in (scene.here, scene.place("a direct message", user)):
                place = {**OURS, "incident": 2, "item": 2, "named": "INC-2", "channel_id": channel, "channel_name": "x"}
                view = {
                    "id": f"V{number}{channel}",
                    "type": "modal",
                    "callback_id": callback_id,
                    "private_metadata": json.dumps(place),
                    "state": {"values": {name: {name: value} for name, value in values.items()}},
                }
                payload = {
                    "type": "view_submission",
                    "team": {"id": scene.office.slack.team_id, "domain": "x"},
                    "user": {"id": user, "username": "x"},
                    "trigger_id": "t",
                    "view": view,
                }
                assert deliver(PayloadDelivery(kind="interactive", payload=payload)).status == 200

    hides(scene.output(submit), numbers=False)
    assert CHOSEN
    assert _of(scene, who) == before


@pytest.mark.parametrize("who", STANDINGS)
def test_an_incident_that_is_not_shown_looks_like_one_that_does_not_exist(scene: Scene, who: str) -> None:
    for place, head in product(("this channel", "a direct message"), (each for each in HEADS if not declares(each))):
        for hidden in (2, 3, 5):
            told = {
                # Where it is taken for the words of a new item, each has another number.
                number: re.sub("[0-9]+", "N", scene.ask(f"{head} INC-{number} 1", who, place).text)
                for number in (hidden, 78)
            }
            assert told[hidden] == told[78], (head, place)


@pytest.mark.parametrize("who", STANDINGS)
def test_everybody_in_the_channel_adds_to_the_record_and_reads_it(scene: Scene, who: str) -> None:
    office = scene.office
    for number, kind in enumerate(each for each in KINDS if each != "resolved"):
        answer = scene.ask(f"/{kind} plums {number}", who)
        assert answer.body["response_type"] == "in_channel", answer
    assert "apples" in scene.ask("/timeline", who).text
    assert "INC-1 · open" in scene.ask("/incident status INC-1", who).text
    assert "apples" in str(scene.ask("/postmortem show", who).body)
    assert "buy apples" in scene.ask("/actionitem list", who).text
    assert scene.ask("/actionitem plums", who).body["response_type"] == "in_channel"
    assert scene.ask("/incident edit last more plums", who).body["response_type"] == "in_channel"
    assert scene.ask("/incident undo", who).body["response_type"] == "in_channel"
    before = len(office.drafts)
    assert scene.ask("/resolved plums are there", who).body["response_type"] == "in_channel"
    assert scene.ask("/postmortem draft", who).body["response_type"] == "in_channel"
    office.deliver()
    assert len(office.drafts) == before + 2
    assert not incident(office).open


def test_a_mention_a_reaction_a_pin_and_a_shortcut_of_a_partner_are_recorded_in_the_channels_incident(
    scene: Scene,
) -> None:
    office, slack, pat = scene.office, scene.office.slack, scene.people["partner"]
    slack.say(pat, scene.here, "@scribe did ship plums")
    said = slack.say(pat, scene.here, "plums are ripe")
    slack.react(pat, said, "pushpin")
    slack.pin(pat, slack.say(pat, scene.here, "plums are blue"))
    office.deliver()
    slack.shortcut(pat, slack.say(pat, scene.here, "plums"), ADD_TO_TIMELINE)
    assert slack.modal(pat)
    slack.submit(pat, {"words": "plums, from a form"})
    told = [(entry.text, entry.author) for entry in entries(office)][-4:]
    assert [text for text, _ in told] == ["ship plums", "plums are ripe", "plums are blue", "plums, from a form"]
    assert {author for _, author in told} == {"pat (another organisation)"}
    assert incident_count(office) == 7
    assert "pat (another organisation)" in scene.ask("/timeline", "member").text


def test_a_partners_name_has_the_name_of_their_organisation(scene: Scene) -> None:
    slack = scene.office.slack
    slack.scopes |= {"team:read"}
    slack.workspace.organisations["T0ACME0000"] = "Acme"
    scene.people["ana"] = slack.add_user("ana", team_id="T0ACME0000")
    scene.office.bot.refresh()
    scene.ask("/did ship plums", "ana")
    assert "(ana (Acme)" in scene.ask("/timeline", "member").text


DEEDS: dict[str, tuple[str, ...]] = {
    "severity": ("/incident severity SEV1",),
    "lead": ("/incident lead me", "/incident handover @bob: plums"),
    "role": ("/incident role comms me",),
    "title": ("/incident title plums",),
    "private": ("/incident private",),
    "update": ("/incident update plums are late, next in 30m",),
    "channel": ("/incident channel",),
    "resolve": (),
    "cancel": ("/incident cancel a drill",),
    "duplicate": ("/incident duplicate INC-7",),
    "merge": ("/incident merge INC-7",),
    "edit": ("/incident edit 1 plums",),
    "undo": ("/incident undo 1",),
    "document": ("/postmortem edit", "/postmortem template classic"),
    "review": ("/postmortem review 2026-03-19 10:00", "/postmortem review cancel"),
    "publish": ("/postmortem publish anyway", "/incident archive"),
    "items": ("/actionitem assign 1 @bob", "/actionitem done 1", "/actionitem due 1 2026-04-01"),
    "drop": ("/actionitem drop 1 no money",),
    "erase": ("/incident erase 1 it names a customer",),
}
PRESSED = {
    "draft_edit": "INC-1",
    "draft_publish": "INC-1",
    "publish_anyway": "INC-1 folder",
    "review_plan": "INC-1",
    "make_channel": "INC-1",
    "archive_channel": "INC-1",
    "card_severity": "INC-1 card SEV1",
    "entry_menu": "INC-1 1 undo",
}
"""The buttons that stand for one of them, and their values."""
REFUSED = "is for members of this workspace"


@pytest.mark.parametrize("who", STANDINGS)
def test_the_rest_is_for_members_and_the_refusal_says_what_is_not(
    sqlite: Database, clock: SetClock, who: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert DEEDS.keys() == POLICY.keys()
    folder = str(tmp_path_factory.mktemp("published"))
    with workplace(sqlite, clock=clock, SCRIBE_PUBLISH_DIR=folder, SCRIBE_CHANNELS="on") as office:
        scene = set_up(office)
        before = (entries(office), items(office), incident(office))
        every = [typed for each in DEEDS.values() for typed in each] + [f"/{route}" for route in FOR_MEMBERS]
        every += ["/actionitem list all", "/actionitem list overdue"]
        for typed in every:
            answer = scene.ask(typed, who)
            assert answer.body["response_type"] == "ephemeral"
            assert REFUSED in answer.text, (typed, answer.text)
            assert "/note what you saw" in answer.text
            assert "/timeline" in answer.text
        user = scene.people[who]
        for action, value in PRESSED.items():
            told = len(office.messages(scene.here, user))
            office.slack.transport.deliver(pressed(scene, who, scene.here, action, value))
            assert [REFUSED in each.text for each in office.messages(scene.here, user)[told:]] == [True], action
        assert (entries(office), items(office), incident(office)) == before
        for typed in ("/actionitem assign 1 me", "/incident severity SEV1", "/incident title pears"):
            assert REFUSED not in scene.ask(typed, "member").text, typed


@pytest.mark.parametrize("who", ["guest", "partner", "unknown"])
def test_the_operator_may_let_outsiders(
    sqlite: Database, clock: SetClock, who: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    policy = ",".join(f"{action}={OUTSIDERS}" for action in POLICY)
    folder = str(tmp_path_factory.mktemp("published"))
    with workplace(
        sqlite, clock=clock, SCRIBE_PUBLISH_DIR=folder, SCRIBE_POLICY=policy, SCRIBE_CHANNELS="on"
    ) as office:
        scene = set_up(office)
        for action, every in DEEDS.items():
            for typed in every:
                assert REFUSED not in scene.ask(typed, who).text, (action, typed)
        assert "There is no INC-2 here." in scene.ask("/incident status INC-2", who).text
        assert REFUSED in scene.ask("/incident list", who).text


def test_a_member_sees_it_all(scene: Scene) -> None:
    for typed in ("/incident list all", "/incident search zebra", "/timeline INC-2", "/postmortem show INC-2"):
        answer = scene.ask(typed, "member", "another channel")
        assert "zebra" in str(answer.body), typed
    assert "feed the zebra" in scene.ask("/actionitem list all", "member").text
    assert "INC-2" in scene.ask("/incident status INC-7", "member").text


OF_ANOTHER = (
    "/incident undo INC-2 1", "/incident edit INC-2 2 at 11:00 UTC", "/incident severity INC-2 SEV2",
    "/incident lead INC-2 @bob", "/incident handover INC-2 @bob: the zebra", "/incident role INC-2 ops @bob",
    "/incident catchup INC-2", "/incident title INC-2 new title", "/incident private INC-2",
    "/incident merge INC-2 into INC-7", "/incident merge INC-7 into INC-2", "/incident cancel INC-2 drill",
    "/incident duplicate INC-2 of INC-7", "/incident backfill INC-2 14:00 a\n14:05 b", "/incident report",
    "/actionitem done INC-2 1", "/actionitem reopen INC-2 1", "/actionitem assign INC-2 1 me",
    "/actionitem due INC-2 1 2026-05-01", "/actionitem drop INC-2 2 no money", "/actionitem worked INC-2 1 yes",
    "/postmortem draft INC-2", "/postmortem template INC-2 classic", "/postmortem template classic INC-2",
    "/postmortem strike INC-2 noticed-1", "/postmortem review INC-2 2026-03-19 10:00", "/postmortem publish INC-2",
    "/note INC-2 plums", "/reopened INC-2", "/timeline INC-2", "/incident search zebra", "/postmortem show INC-2",
)  # fmt: skip
"""What a member types in a channel with others, on another channel's incident."""


def test_a_member_shows_no_other_channels_words_to_those_beside_them(
    sqlite: Database, clock: SetClock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = str(tmp_path_factory.mktemp("published"))
    with workplace(sqlite, clock=clock, SCRIBE_PUBLISH_DIR=folder) as office:
        scene = set_up(office)
        here, pat = scene.here, scene.people["partner"]
        for typed in OF_ANOTHER:
            with rewound(sqlite):
                before, files = len(office.messages(here, pat)), len(office.slack.files)
                answer = office.ask(typed, user=scene.people["zelda"], channel=here)
                assert not answer.error, typed
                seen = [(each.text, each.blocks) for each in office.messages(here, pat)[before:]]
                told = [
                    each.content.decode(errors="replace") for each in office.slack.files[files:] if each.channel == here
                ]
                shown = str((seen, told)).casefold().replace("published by zelda", "")
                hides(shown, numbers=False, of=typed)


def test_a_merge_into_another_channels_incident_tells_no_title_here(scene: Scene) -> None:
    office, here = scene.office, scene.office.slack.add_channel("fruit", shared=True, created_by=PARTNER)
    office.say("/detected figs are late", channel=here)
    office.ask("/incident lead me INC-2", channel=here)
    answer = office.ask("/incident merge INC-8 into INC-2", channel=here)
    assert answer.body["response_type"] == "in_channel"
    assert "INC-8 is merged into INC-2" in answer.text
    hides(str([(each.text, each.blocks) for each in office.messages(here)]).casefold(), numbers=False)
    there = incident(office, 2).channel_id
    assert any("INC-8 is merged into INC-2: the zebra" in each.text for each in office.messages(there))
    # Without a name, too, it is the other one that is changed: told there, and here to the person alone.
    answer = office.ask("/incident title ripe", channel=here)
    assert answer.body["response_type"] == "ephemeral"
    assert "was the zebra is out" in answer.text
    assert "was the zebra is out" in office.messages(there)[-1].text


@pytest.mark.parametrize("who", ["guest", "partner", "unknown"])
def test_who_is_no_member_takes_back_no_closing(scene: Scene, who: str) -> None:
    office, deliver = scene.office, scene.office.slack.transport.deliver
    before = [(entries(office, number), incident(office, number)) for number in (1, 4, 7)]
    for action, value in (("open_again", "INC-4"), ("open_again", "INC-7"), ("reopen", "INC-7 INC-1")):
        deliver(pressed(scene, who, scene.here, action, value))
    office.deliver()
    assert [(entries(office, number), incident(office, number)) for number in (1, 4, 7)] == before


def test_a_members_form_on_an_incident_that_became_private_changes_nothing(scene: Scene) -> None:
    office, slack, carol = scene.office, scene.office.slack, scene.people["member"]
    office.ask("/postmortem edit INC-2 timeline", user=carol, channel=scene.places["another channel"])
    assert slack.modal(carol)
    office.ask("/incident private", user=scene.people["zelda"], channel=incident(office, 2).channel_id)
    before = _of(scene)
    hides(scene.output(lambda: slack.submit(carol)), numbers=False)
    assert _of(scene) == before


def test_a_change_of_standing_acts_at_once(scene: Scene) -> None:
    slack, carol = scene.office.slack, scene.people["member"]
    assert "zebra" in scene.ask("/timeline INC-2", "member").text
    slack.change_user(carol, restricted=True)
    assert "There is no INC-2 here." in scene.ask("/timeline INC-2", "member").text
    slack.change_user(carol, restricted=False)
    assert "zebra" in scene.ask("/timeline INC-2", "member").text
    slack.change_user(carol, deleted=True)
    assert "There is no INC-2 here." in scene.ask("/timeline INC-2", "member").text


def test_a_form_or_question_opened_before_is_answered_by_the_standing_of_now(scene: Scene) -> None:
    office, slack, carol = scene.office, scene.office.slack, scene.people["member"]
    asked = office.ask("/did count them", user=carol, channel=scene.places["another channel"])
    values = [each["value"] for each in asked.body["blocks"][-1]["elements"][0]["options"]]
    value = next(each for each in values if each.endswith("INC-2"))
    office.ask("/postmortem edit INC-2 timeline", user=carol, channel=scene.places["another channel"])
    assert slack.modal(carol)
    slack.change_user(carol, restricted=True)
    before = _of(scene)

    def act() -> None:
        assert slack.click(carol, asked, "choose_incident", value).ok
        slack.submit(carol)

    hides(scene.output(act), numbers=False)
    assert _of(scene) == before


def test_a_guests_home_and_digest_hold_the_words_of_their_own_items_alone(scene: Scene, clock: SetClock) -> None:
    office, slack, gus = scene.office, scene.office.slack, scene.people["guest"]
    assert items(office, 2)[0].owner_id == gus
    slack.open_home(gus)
    office.deliver()
    shown = slack.home(gus)
    assert shown is not None
    text = json.dumps([block.get("text") for block in shown.blocks])
    assert "feed the zebra" in text
    assert "fence" not in text
    assert "is out" not in text
    assert not NUMBER.search(text)
    listed = scene.ask("/actionitem list mine", "guest", "a direct message").text
    assert listed.count("feed the zebra") == 1, "the private incident's is redacted"
    assert not NUMBER.search(listed)
    clock.set(clock().replace(day=16, hour=9))
    office.bot.remind()
    office.deliver()
    told = [message for message in office.messages(gus) if "feed the zebra" in message.text]
    assert told
    assert not any(NUMBER.search(message.text) or "is out" in message.text for message in told)
    assert slack.click(gus, told[-1], buttons.DONE, "INC-2 1").ok
    office.deliver()
    assert items(office, 2)[0].state == "done"
    assert "Action item 1 of INC-… is done: feed the zebra" in office.messages(gus)[-1].text


def test_without_users_read_the_channels_incident_is_everybodys(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        office.slack.scopes = {"commands", "chat:write"}
        office.bot.refresh()
        office.say("/detected zebra", channel=office.slack.add_channel("zebras"))
        office.say("/detected disk full")
        assert "disk full" in office.private("/timeline")
        office.say("/resolved freed space")
        office.say("/postmortem draft")
        refused = office.refused("/incident list all")
        assert REFUSED in refused
        assert "scribe doctor" in refused
        assert "There is no INC-1 here." in office.refused("/timeline INC-1")
        asked = [call.method for call in office.slack.calls]
        office.refused("/incident severity SEV1")
        assert len(asked) <= len(office.slack.calls) <= len(asked) + 2


def test_without_users_read_the_operator_may_take_all_for_members(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False, SCRIBE_STANDING="assume-members") as office:
        office.slack.scopes = {"commands", "chat:write"}
        office.bot.refresh()
        office.say("/detected zebra", channel=office.slack.add_channel("zebras"))
        assert "zebra" in office.private("/incident list all")
        # What the payload itself tells is no assumption.
        pat = office.slack.add_user("pat", team_id=PARTNER)
        office.slack.scopes |= {"app_mentions:read"}
        shared = office.slack.add_channel("shared", shared=True, created_by=PARTNER)
        office.slack.say(pat, shared, "@scribe incident list all")
        assert REFUSED in office.messages(shared, pat)[-1].text


def test_with_users_read_nobody_is_taken_for_a_member(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False, SCRIBE_STANDING="assume-members") as office:
        office.slack.fail_next("users.info", error="internal_error", times=1_000)
        office.say("/detected zebra", channel=office.slack.add_channel("zebras"))
        assert REFUSED in office.refused("/incident list all")


def test_a_member_who_is_not_described_yet_is_looked_up_once(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        office.say("/detected zebra", channel=office.slack.add_channel("zebras"))
        assert "zebra" in office.private("/incident list all")
        member = office.bot.context.members.find(office.slack.team_id, office.alice)
        assert member is not None
        assert member.standing == MEMBER


def test_every_route_of_other_channels_is_for_members() -> None:
    assert FOR_MEMBERS.keys() <= ROUTES.keys()
