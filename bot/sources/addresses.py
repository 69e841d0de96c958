"""The addresses that sources post to: `/hooks/<kind>/<workspace>-<channel>-<secret part>`.

The secret part is derived from the operator's one secret, so that nothing of it is stored, and an address is known as
right while the database is away. With another secret all addresses are void.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

from storage.sources.signals import EVERYWHERE

PATH = "/hooks/"
ALL = "ALL"
"""In place of a channel: changes that may concern any incident of the workspace."""
_TOKEN = re.compile(r"(?P<workspace>[A-Z0-9]{2,32})-(?P<channel>[A-Z0-9]{2,32})-(?P<secret>[0-9a-f]{40})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where signals of one kind of source belong."""

    source: str
    workspace_id: str
    channel_id: str


def token(secret: str, address: Address) -> str:
    """The last part of the address."""
    channel = ALL if address.channel_id == EVERYWHERE else address.channel_id
    facts = f"{address.source}\0{address.workspace_id}\0{channel}".encode()
    mac = hmac.new(secret.encode(), facts, hashlib.sha256).hexdigest()[:40]
    return f"{address.workspace_id}-{channel}-{mac}"


def path(secret: str, address: Address) -> str:
    """The path of the address, from its first slash."""
    return f"{PATH}{address.source}/{token(secret, address)}"


def find(secret: str, source: str, given: str) -> Address | None:
    """The address that the token of a path names; None for one that is not of this secret. In constant time."""
    match = _TOKEN.fullmatch(given)
    if match is None:
        return None
    channel = EVERYWHERE if match["channel"] == ALL else match["channel"]
    address = Address(source=source, workspace_id=match["workspace"], channel_id=channel)
    return address if hmac.compare_digest(token(secret, address).encode(), given.encode()) else None
