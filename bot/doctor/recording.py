"""`scribe run --record FOLDER`: what Slack sends, by its shape, with all words and ids of the workspace replaced."""

import json
import logging
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bot.handlers import routes
from bot.vocabulary import ADD_TO_TIMELINE, COMMANDS

SECRET_KEYS: Final = frozenset({"token", "trigger_id", "response_url", "hash", "event_context", "client_msg_id"})
"""The fields that are replaced as a whole, however they look."""
NAMING_KEYS: Final = frozenset(
    ("type", "subtype", "channel_type", "tab", "style", "action_id", "block_id", "callback_id", "command", "mode")
)
"""The fields whose value stays where it is one of NAMES."""
_SLACKS_NAMES: Final = """
event_callback block_actions message_action view_submission view_closed message view modal home messages
app_home_opened app_mention app_uninstalled tokens_revoked team_join user_change channel_archive
channel_rename member_joined_channel pin_added pin_removed reaction_added reaction_removed file_shared
message_changed message_deleted message_replied thread_broadcast bot_message channel_join channel_leave
channel_topic channel_purpose channel_name file_share me_message channel group im mpim
section header context actions divider input image markdown rich_text table file button static_select
users_select datepicker timepicker datetimepicker plain_text_input radio_buttons checkboxes overflow
plain_text mrkdwn rich_text_section rich_text_list rich_text_quote rich_text_preformatted text link user
usergroup broadcast emoji color date raw_text primary danger hosted snippet external
"""
NAMES: Final = frozenset(
    (*_SLACKS_NAMES.split(), *(f"/{name}" for name in COMMANDS), *routes.INTERACTIONS, ADD_TO_TIMELINE)
)
"""Slack's names for what it sends, and Scribe's for its own parts: none says anything of the workspace."""
_TS = re.compile(r"[0-9]{9,11}\.[0-9]{1,9}")
_PART = re.compile(
    # Markup that says what follows, which is no word of anybody's.
    r"(?P<kept><!(?:here|channel|everyone|date\^|subteam\^)|https?://|<(?:mailto|tel):)"
    r"|(?P<ts>[0-9]{9,11}\.[0-9]{1,9})"
    r"|(?P<id>(?<![^\W_])[A-Z](?=[A-Z0-9]*[0-9])[A-Z0-9]{5,}(?![^\W_]))"
    r"|(?P<digits>(?<![^\W_])[0-9]+(?![^\W_]))"
    r"|(?P<word>[^\W_]+)"
)
_FIELD = re.compile(r"[a-z]+(?:_(?:[a-z]+|[0-9]{1,4}|2fa))*")
_SHORT = 2
"""Numbers with so few digits stay: hours, minutes, days, counts."""
_EPOCH = 1_700_000_000
_log = logging.getLogger(__name__)


class Disguise:
    """Replaces words, ids and numbers; what is the same before is the same after, in every payload.

    Keys and types stay, the letter that an id begins with, and the markup and punctuation of texts.
    """

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}

    def of(self, value: Any, key: str = "") -> Any:
        """Return the JSON value disguised; `key` is the field it is in."""
        if isinstance(value, Mapping):
            own_keys = key == "values"
            return {self._key(name, own_keys): self._inside(each, name, own_keys) for name, each in value.items()}
        if isinstance(value, list):
            return [self.of(each, key) for each in value]
        if isinstance(value, str):
            return self._string(value, key)
        if isinstance(value, bool) or value is None:
            return value
        return self._number(value)

    def _inside(self, value: Any, name: str, own_keys: bool) -> Any:  # noqa: FBT001 - of `of` alone
        """A form's values are by ids of blocks, and in these by ids of inputs."""
        if own_keys and isinstance(value, Mapping):
            return {self._key(each, True): self.of(inner, each) for each, inner in value.items()}  # noqa: FBT003
        return self.of(value, name)

    def _key(self, name: str, own: bool) -> str:  # noqa: FBT001 - of `of` alone
        if own:
            return self._string(name, "block_id")
        return name if _FIELD.fullmatch(name) else self._words(name)

    def _string(self, value: str, key: str) -> str:
        # A form has no booleans: a command's `is_enterprise_install` is a word.
        is_boolean = key.startswith("is_") and value in {"true", "false"}
        if not value or is_boolean or (key in NAMING_KEYS and value in NAMES):
            return value
        if key in SECRET_KEYS:
            name = self._named("secret", value, "secret{:04d}")
            return f"https://hooks.invalid/{name}" if value.startswith("http") else name
        return self._words(value)

    def _words(self, value: str) -> str:
        return _PART.sub(self._part, value)

    def _part(self, found: re.Match[str]) -> str:
        kind, text = str(found.lastgroup), found.group()
        if kind == "kept":
            return text
        if kind == "ts":
            return self._named("ts", text, str(_EPOCH) + ".{:06d}")
        if kind == "id":
            return self._named("id", text, text[0] + "{:08d}")
        if kind == "digits":
            return text if len(text) <= _SHORT else self._digits(text)
        return self._named("word", text, "word{:04d}")

    def _digits(self, text: str) -> str:
        """Other digits, as many, and the same for the same."""
        return self._named(f"digits{len(text)}", text, "7{:0" + str(len(text) - 1) + "d}")[-len(text) :]

    def _number(self, value: float) -> float:
        whole = str(abs(int(value)))
        if len(whole) <= _SHORT:
            return value if isinstance(value, int) else float(int(value))
        other = int(self._digits(whole)) * (-1 if value < 0 else 1)
        return other if isinstance(value, int) else float(other)

    def _named(self, kind: str, text: str, form: str) -> str:
        count = sum(1 for each, _ in self._given if each == kind) if (kind, text) not in self._given else 0
        return self._given.setdefault((kind, text), form.format(count + 1))


def shape(value: Any) -> Any:
    """The keys and types of a JSON value, of a list those of its different items."""
    if isinstance(value, Mapping):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(each), sort_keys=True) for each in value})
    return type(value).__name__


class Recorder:
    """Writes one disguised payload of each kind and shape as a file into `folder`, which is made.

    Raises OSError where that cannot be. Safe to use from any thread.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._disguise = Disguise()
        self._shapes: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, payload: Mapping[str, Any], status: int) -> None:
        """Record a payload that was answered with the HTTP `status`. Never raises: the answer must not depend on it."""
        try:
            with self._lock:
                self._record(payload, status)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            _log.warning("payload not recorded: %s", type(error).__name__)

    def _record(self, payload: Mapping[str, Any], status: int) -> None:
        kind = kind_of(payload)
        shown = json.dumps([kind, status, shape(payload)], sort_keys=True)
        if shown in self._shapes:
            return
        self._shapes.add(shown)
        recorded = {"kind": kind, "status": status, "payload": self._disguise.of(payload)}
        text = json.dumps(recorded, indent=1, ensure_ascii=False) + "\n"
        (self._folder / f"{len(self._shapes):04d}-{kind}.json").write_text(text, encoding="utf-8")


def kind_of(payload: Mapping[str, Any]) -> str:
    """The kind of a payload as Slack names it, `command` for a slash command and `other` for an unknown one."""
    if "command" in payload:
        return "command"
    event = payload.get("event")
    part = event if isinstance(event, Mapping) else payload
    names = [part.get(name) for name in ("type", "subtype")]
    return "-".join(name for name in names if isinstance(name, str) and name in NAMES) or "other"
