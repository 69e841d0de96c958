"""What a message says, whichever way it reached Scribe: its words in Slack's markup, and what became of it later.

People write in `text`. Apps write there too, or in blocks and attachments of which `text` is a summary at most. A
message may be of any shape and size: what is not as documented is left out, and reading ends at the limits below.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from pydantic import ValidationError

from bot.handlers.incident.revisions import MessageChange, follow_message
from bot.slack.context import WRITE_S, SlackContext
from bot.slack.inbound.payloads import DELETED, MessageEvent, SourceMessage
from bot.slack.inbound.requests import instant_of_ts
from storage import receipts, timeline
from storage.availability import within

MOST_LINES = 400
MOST_CHARACTERS = 40_000
"""The most characters read from blocks and attachments; Slack's own limit for a message's text."""
MOST_FILES = 10
"""The most files of one message that are kept."""
MOST_LEVELS = 8
"""How deep blocks are read in blocks."""

_log = logging.getLogger(__name__)
_TOMBSTONE = "tombstone"
"""What Slack leaves of a deleted message with replies, and of a deleted file."""
_NOTHING = frozenset({"[no preview available]", "This content can't be displayed."})
_PREVIEW_MARKS = ("from_url", "original_url", "app_unfurl_url", "is_msg_unfurl", "is_app_unfurl")
"""Keys of an attachment that Slack made of a link in the text: its words are another page's."""
_FILE_ID = re.compile(r"F[A-Z0-9]{2,62}")
_IN_MARKUP = str.maketrans({"<": "&lt;", ">": "&gt;"})
_IN_ADDRESS = str.maketrans({"<": "%3C", ">": "%3E", "|": "%7C", "\n": None})

Part = Mapping[str, Any]
Reader = Callable[[Part, int], Iterator[str]]


def read_message(described: object) -> SourceMessage | None:
    """Slack's message object; None for one that is not as documented."""
    try:
        return SourceMessage.model_validate(described)
    except ValidationError:
        return None


def words_of(message: SourceMessage) -> str:
    """The words of a message in Slack's markup: text or blocks, attachments, then the titles and addresses of files.

    An app's blocks are what people see, and its text only a summary of them.
    """
    blocks = _joined(_blocks(message.blocks, 0))
    text = (message.text or "").strip()
    said = (blocks or text) if message.by_app else (text or blocks)
    attached = (each for each in _parts(message.attachments) if not (said and any(map(each.get, _PREVIEW_MARKS))))
    below = _joined(line for each in attached for line in _attachment(each, 0))
    files = _joined(_file(each) for each in _parts(message.files) if each.get("mode") != _TOMBSTONE)
    return "\n".join(dict.fromkeys(filter(None, [said, below, files])))


def files_of(message: SourceMessage) -> tuple[str, ...]:
    """Slack's ids of the message's files, and of those that its blocks show as images: the first MOST_FILES."""
    shown = (each.get("slack_file") for each in _parts(message.blocks) if each.get("type") == "image")
    told = [*_parts(message.files), *(each for each in shown if isinstance(each, Mapping))]
    ids = (each.get("id") for each in told if each.get("mode") != _TOMBSTONE)
    return tuple(dict.fromkeys(each for each in ids if isinstance(each, str) and _FILE_ID.fullmatch(each)))[:MOST_FILES]


def _joined(lines: Iterable[str]) -> str:
    """The lines that hold something, within the limits."""
    kept = []
    room = MOST_CHARACTERS
    for line in islice(lines, MOST_LINES):
        if line.strip() and line not in _NOTHING and room > 0:
            kept.append(line.strip("\n")[:room])
            room -= len(line)
    return "\n".join(kept)


def _parts(value: object) -> Iterator[Part]:
    """The objects of a list; nothing for any other value."""
    return (each for each in value if isinstance(each, Mapping)) if isinstance(value, list) else iter(())


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _text(value: object) -> str:
    """The markup of a text object, in which `plain_text` has none, or of a string."""
    if isinstance(value, Mapping):
        text = _string(value.get("text"))
        return text if value.get("type") == "mrkdwn" else text.translate(_IN_MARKUP)
    return _string(value)


def _link(address: object, label: object = "") -> str:
    """A link with its label, one of them where the other is missing."""
    target, shown = _string(address).translate(_IN_ADDRESS), _text(label)
    if not target or "<" in shown:
        return shown
    shown = " ".join(shown.split()).translate(_IN_MARKUP)
    return f"<{target}|{shown}>" if shown else f"<{target}>"


def _file(file: Part) -> str:
    return _link(file.get("permalink") or file.get("url_private"), file.get("title") or file.get("name"))


def _attachment(attachment: Part, level: int) -> Iterator[str]:
    said = [
        _text(attachment.get("pretext")),
        _link(attachment.get("title_link"), attachment.get("title")),
        _text(attachment.get("text")),
        *map(_field, islice(_parts(attachment.get("fields")), MOST_LINES)),
        *_blocks(attachment.get("blocks"), level + 1),
        _link(attachment.get("image_url") or attachment.get("thumb_url")),
    ]
    said = [line for line in said if line.strip()]
    yield from said or [_text(attachment.get("fallback"))]


def _field(field: Part) -> str:
    return ": ".join(filter(None, (_text(field.get("title")), _text(field.get("value")))))


def _blocks(blocks: object, level: int) -> Iterator[str]:
    if level < MOST_LEVELS:
        for block in _parts(blocks):
            yield from _BLOCKS.get(_string(block.get("type")), _other)(block, level)


def _section(block: Part, level: int) -> Iterator[str]:
    yield _text(block.get("text"))
    yield from map(_text, _parts(block.get("fields")))
    accessory = block.get("accessory")
    if isinstance(accessory, Mapping) and accessory.get("type") == "image":
        yield from _image(accessory, level)


def _context(block: Part, _level: int) -> Iterator[str]:
    # The images of a context block are icons.
    yield " ".join(filter(None, map(_text, islice(_parts(block.get("elements")), MOST_LINES))))


def _image(block: Part, _level: int) -> Iterator[str]:
    stored = block.get("slack_file")
    address = block.get("image_url") or (stored.get("url") if isinstance(stored, Mapping) else None)
    yield _link(address, block.get("title") or {"text": block.get("alt_text")})


def _video(block: Part, _level: int) -> Iterator[str]:
    yield _link(block.get("title_url") or block.get("video_url"), block.get("title"))


def _table(block: Part, level: int) -> Iterator[str]:
    rows = block.get("rows")
    for row in rows if isinstance(rows, list) else ():
        yield " | ".join(_joined(_cell(each, level)) for each in islice(_parts(row), MOST_LINES))


def _cell(cell: Part, level: int) -> Iterator[str]:
    yield from _blocks([cell], level + 1) if cell.get("type") == "rich_text" else [_text(cell)]


def _no_words(_block: Part, _level: int) -> Iterator[str]:
    return iter(())


def _other(block: Part, level: int) -> Iterator[str]:
    """A block of a type that came after this release: what stands where others have their words."""
    yield _text(block.get("title"))
    yield _text(block.get("text"))
    for key in ("elements", "blocks"):
        yield from _blocks(block.get(key), level + 1)


def _rich_text(block: Part, level: int) -> Iterator[str]:
    if level < MOST_LEVELS:
        for element in _parts(block.get("elements")):
            yield from _RICH.get(_string(element.get("type")), _rich_section)(element, level)


def _rich_section(element: Part, _level: int) -> Iterator[str]:
    yield "".join(map(_inline, islice(_parts(element.get("elements")), MOST_LINES)))


def _rich_code(element: Part, level: int) -> Iterator[str]:
    yield f"```\n{''.join(_rich_section(element, level))}\n```"


def _rich_quote(element: Part, level: int) -> Iterator[str]:
    yield from (f"&gt; {line}" for line in "".join(_rich_section(element, level)).split("\n"))


def _rich_list(element: Part, level: int) -> Iterator[str]:
    indent = element.get("indent")
    blank = "  " * min(indent, MOST_LEVELS) if isinstance(indent, int) and indent > 0 else ""
    for number, item in enumerate(_parts(element.get("elements")), 1):
        mark = f"{number}." if element.get("style") == "ordered" else "•"
        yield f"{blank}{mark} {''.join(_rich_section(item, level))}"


def _inline(element: Part) -> str:
    write = _INLINE.get(_string(element.get("type")))
    return write(element) if write else _string(element.get("text")).translate(_IN_MARKUP)


def _styled(element: Part) -> str:
    text, style = _string(element.get("text")).translate(_IN_MARKUP), element.get("style")
    return f"`{text}`" if text and isinstance(style, Mapping) and style.get("code") else text


def _token(sign: str, key: str) -> Callable[[Part], str]:
    def write(element: Part) -> str:
        target = _string(element.get(key)).translate(_IN_ADDRESS)
        return f"<{sign}{target}>" if target else ""

    return write


def _date(element: Part) -> str:
    seconds, fallback = element.get("timestamp"), _string(element.get("fallback")).translate(_IN_MARKUP)
    return f"<!date^{seconds if isinstance(seconds, int) else ''}^{{date}}|{fallback}>"


_BLOCKS: Mapping[str, Reader] = {
    "section": _section,
    "context": _context,
    "image": _image,
    "video": _video,
    "rich_text": _rich_text,
    "table": _table,
    **dict.fromkeys(("actions", "input", "divider", "context_actions"), _no_words),
}
_RICH: Mapping[str, Reader] = {
    "rich_text_preformatted": _rich_code,
    "rich_text_quote": _rich_quote,
    "rich_text_list": _rich_list,
}
_INLINE: Mapping[str, Callable[[Part], str]] = {
    "text": _styled,
    "link": lambda element: _link(element.get("url"), element.get("text")),
    "user": _token("@", "user_id"),
    "usergroup": _token("!subteam^", "usergroup_id"),
    "channel": _token("#", "channel_id"),
    "broadcast": _token("!", "range"),
    "emoji": lambda element: f":{_string(element.get('name'))}:",
    "date": _date,
    "color": lambda element: _string(element.get("value")),
}


def follow(context: SlackContext, payload: MessageEvent) -> None:
    """Note on its entries that a message was edited or deleted, once; an exception makes Slack deliver it again."""
    event, workspace_id = payload.event, payload.team_id
    message, before = read_message(event.message), read_message(event.previous_message)
    gone = event.subtype == DELETED or (message is not None and message.subtype == _TOMBSTONE)
    told = before if gone else message
    ts = event.deleted_ts or (told.ts if told else None)
    if event.channel is None or ts is None:
        missing = "event.channel" if event.channel is None else "event.message.ts"
        _log.warning("request not readable: MessageEvent: %s", missing)
        return
    links = context.identity.permalinks(event.channel, ts, thread_ts=told.thread_ts if told else None)
    with within(WRITE_S, at_once=True), context.database.read() as connection:
        if not timeline.of_message(connection, workspace_id, links):
            return
    edited = None if gone or message is None else message.edited
    now = None if gone or message is None else context.requests.read(workspace_id, words_of(message))
    change = MessageChange(
        words=now.words if now else None,
        people=now.people if now else {},
        before=context.requests.read(workspace_id, words_of(before)).words if before else None,
        by=(edited.user if edited else None) or "",
        at=instant_of_ts(edited.ts) if edited else context.clock(),
    )
    key = f"event:{payload.event_id}"
    with within(WRITE_S, at_once=True), context.database.write() as connection:
        if receipts.find(connection, workspace_id, key) is None:
            receipts.save(connection, workspace_id, key, {}, at=context.clock())
            follow_message(connection, workspace_id, links, change)
