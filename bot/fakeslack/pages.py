"""Cursors: long answers come in pages."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, TypeVar

from bot.fakeslack.arguments import ApiError
from bot.fakeslack.schema import Json

MAX_PAGE = 1000

Member = TypeVar("Member")


def paginate(members: Sequence[Member], args: dict[str, Any], *, usual: int) -> tuple[list[Member], Json]:
    """One page of `members` by the arguments `cursor` and `limit`, and response_metadata with the next one.

    `usual` is how many there are without a limit. Raises Refused (invalid_cursor, invalid_limit).
    """
    limit = args.get("limit") or usual
    if limit > MAX_PAGE:
        raise ApiError("invalid_limit")
    start = _start_of(args.get("cursor", ""))
    end = start + limit
    cursor = b64encode(f"next:{end}".encode()).decode() if end < len(members) else ""
    return list(members[start:end]), {"response_metadata": {"next_cursor": cursor}}


def _start_of(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except ValueError:
        raise ApiError("invalid_cursor") from None
