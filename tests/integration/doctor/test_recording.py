"""What `scribe run --record` keeps of a payload: its shape, and no word or id of the workspace."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SetClock
from bot.doctor.recording import NAMES, Disguise, Recorder, shape
from storage.database import Database
from tests.integration.cli.terminal import refused
from tests.slack.transport.test_payloads import REBUILT
from tests.support.hostile import QUICK
from tests.support.workplace import workplace

WORD = re.compile(r"[^\W_]{3,}")
OURS = re.compile(r"word\d+|secret\d+|[A-Z]\d{8}|7\d*|17000000\d\d|\d{6}|invalid|hooks")
"""What stands in place of words, ids and numbers."""


def strings(value: Any, key: str = "") -> list[tuple[str, str]]:
    """Every string within, with the key of its field."""
    if isinstance(value, dict):
        return [each for name, inner in value.items() for each in strings(inner, name)]
    if isinstance(value, list):
        return [each for inner in value for each in strings(inner, key)]
    return [(key, value)] if isinstance(value, str) else []


def words(value: Any) -> set[str]:
    """Every word of three or more letters or digits in the strings within, but Slack's own names and markup."""
    found: set[str] = set()
    for _, text in strings(value):
        if text not in {*NAMES, "true", "false"}:
            bare = re.sub(r"<!(here|channel|everyone|date\^|subteam\^)|https?://|<(mailto|tel):", "<", text)
            found |= set(WORD.findall(bare))
    return found


def left(before: Any) -> set[str]:
    """The words and ids that are left of a payload."""
    return {each for each in words(before) & words(Disguise().of(before)) if not OURS.fullmatch(each)}


IDS = st.text("ABCDEFGHJKTUVXZ0123456789", min_size=8, max_size=11)
TEXTS = st.one_of(
    st.text(max_size=40),
    IDS,
    st.builds("<@{}|{}> did {}".format, IDS, st.text(max_size=8), st.text(max_size=20)),
    st.builds("<https://{}.example.org/{}|{}>".format, IDS, IDS, st.text(max_size=9)),
    st.builds("{}.{}".format, st.integers(10**9, 10**10), st.integers(10**5, 10**6 - 1)),
    st.emails(),
    st.sampled_from(["xoxb-1234-5678-abcdEFGH", "https://hooks.slack.com/commands/T1/2/abc", "+49 170 1234567"]),
)
KEYS = st.sampled_from(
    ["text", "user", "type", "token", "trigger_id", "response_url", "channel", "name", "values", "ts"]
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.floats(-1e9, 1e9)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=12,
)


@QUICK
@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_no_word_and_no_id_is_left(payload: dict[str, Any]) -> None:
    assert left(payload) == set()


@pytest.mark.parametrize("name", REBUILT)
def test_of_each_kind_of_payload_keys_and_types_stay_and_words_go(name: str) -> None:
    payload = REBUILT[name]
    after = Disguise().of(payload)
    assert left(payload) == set()
    if "values" not in json.dumps(payload):
        assert shape(after) == shape(payload)
    for key in ("type", "subtype"):
        assert after.get(key) == payload.get(key)


def test_the_same_is_the_same_in_every_payload_and_the_markup_stays() -> None:
    disguise = Disguise()
    first = disguise.of({"user": "U0ANA00001", "text": "<@U0ANA00001|ana> at 14:02: <https://db1.acme.org/x|db1>"})
    second = disguise.of({"event": {"user": "U0ANA00001", "item": {"user": "U0BEN00001"}}, "ts": "1773316800.000100"})
    assert second["event"]["user"] == first["user"] != second["event"]["item"]["user"]
    assert re.fullmatch(
        r"<@(U\d{8})\|word\d+> word\d+ 14:02: <https://(word\d+)\.word\d+\.word\d+/word\d+\|\2>", first["text"]
    ), first
    assert first["user"] in first["text"]
    assert re.fullmatch(r"\d{10}\.\d{6}", second["ts"])


def test_secrets_and_addresses_are_replaced_whole() -> None:
    after = Disguise().of({
        "token": "abc def", "trigger_id": "1.2.x", "response_url": "https://hooks.slack.com/commands/T1/2/3",
        "text": "mail <mailto:ana@acme.org|ana@acme.org> or <tel:+491701234567|+49 170 1234567>",
    })  # fmt: skip
    assert after["response_url"].startswith("https://hooks.invalid/")
    assert not {"acme", "ana", "491701234567", "1234567", "abc", "hooks.slack"} & set(re.findall(r"[\w.]+", str(after)))


def test_one_file_is_kept_for_each_shape_and_answering_goes_on_without_the_folder(
    sqlite: Database, clock: SetClock, tmp_path: Path
) -> None:
    folder = tmp_path / "hour"
    with workplace(sqlite, clock=clock) as office:
        office.bot.app.on_payload = Recorder(folder)
        for words_ in ("disk full", "wal growing"):
            office.say(f"/note {words_}" if words_ != "disk full" else "/detected disk full")
        office.slack.say(office.alice, office.channel, "@scribe note restarted")
        office.slack.open_home(office.alice)
        kept = sorted(path.name for path in folder.iterdir())
        assert kept == ["0001-command.json", "0002-app_mention.json", "0003-app_home_opened.json"]
        first = json.loads((folder / kept[0]).read_text())
        assert (first["kind"], first["status"], first["payload"]["command"]) == ("command", 200, "/detected")
        text = "".join(path.read_text() for path in folder.iterdir())
        for secret in ("disk", "full", "restarted", office.alice, office.channel, office.slack.team_id, "incident"):
            assert secret not in text
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        office.ask("/incident list")
        office.slack.shortcut(office.bob, office.slack.messages(office.channel)[0], "add_to_timeline")
        assert not folder.exists()


def test_the_doctor_says_where_payloads_are_recorded(tmp_path: Path) -> None:
    assert f"scribe run --record {tmp_path}" in refused("doctor", "--record", str(tmp_path))
