"""What a person typed, as Slack hands it on: entities, mentions and links in angle brackets."""

import re
from collections.abc import Mapping

ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
TOKEN = re.compile(
    r"<@(?P<user_id>[UW]\w+)(?:\|[^>]*)?>"
    r"|<#(?P<channel_id>[CG]\w+)(?:\|[^>]*)?>"
    r"|(?P<link>https?://[^\s<>|]+)"
    r"|(?<![\w.@])@(?P<user>[\w.-]+)"
    r"|(?<![\w&])#(?P<channel>[\w-]+)"
    r"|(?P<special>[&<>])"
)
BROADCASTS = frozenset({"here", "channel", "everyone"})


def format_text(text: str, *, users: Mapping[str, str], channels: Mapping[str, str], named: bool) -> str:
    """`text` with `&`, `<`, `>` as entities, people and channels as `<@U1>` and `<#C1>`, links as `<https://…>`.

    `users` and `channels` are the known ids by name. `named` adds the name, as slash commands have it:
    `<@U1|alice>`.
    """
    names = {
        "@": {id_: name for name, id_ in users.items()},
        "#": {id_: name for name, id_ in channels.items()},
    }

    def mention(sign: str, id_: str) -> str:
        return f"<{sign}{id_}|{names[sign][id_]}>" if named else f"<{sign}{id_}>"

    def by_name(sign: str, typed: str) -> str:
        known = users if sign == "@" else channels
        if sign == "@" and typed in BROADCASTS:
            return f"<!{typed}>"
        for end in range(len(typed), 0, -1):
            # The full stop of a sentence is no part of the name before it.
            if typed[:end] in known and not typed[end:].strip(".-_"):
                return mention(sign, known[typed[:end]]) + typed[end:]
        return sign + typed

    def replaced(match: re.Match[str]) -> str:
        kind = str(match.lastgroup)
        typed = match[kind]
        if kind in {"user_id", "channel_id"}:
            sign = "@" if kind == "user_id" else "#"
            return mention(sign, typed) if typed in names[sign] else escape(match[0])
        if kind == "link":
            return f"<{escape(typed)}>"
        if kind == "special":
            return ENTITIES[typed]
        return by_name("@" if kind == "user" else "#", typed)

    return TOKEN.sub(replaced, text)


def escape(text: str) -> str:
    """`text` with exactly `&`, `<` and `>` as entities."""
    return "".join(ENTITIES.get(letter, letter) for letter in text)
