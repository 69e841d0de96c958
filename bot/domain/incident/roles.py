"""The roles that people take in an incident beside its lead, and the words for them.

Which roles there are is the operator's to say: `SCRIBE_ROLES`. What was recorded under a role that is none any more
stays as it was told.
"""

import re
from collections.abc import Mapping

ROLES: Mapping[str, tuple[str, ...]] = {
    "comms": ("communications", "communication", "comm"),
    "ops": ("operations", "operation"),
    "scribe": ("notes", "notetaker"),
}
"""The roles unless the operator names others, each with other words for it. Source: Google, SRE Workbook, chapter 9."""
NOBODY = "none"
"""In place of a name: nobody has the role from then on."""
NOBODY_WORDS = frozenset({NOBODY, "nobody", "no-one", "noone", "off", "-"})
MOST_ROLES = 12
_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
_TAKEN = frozenset({"lead", "me", *NOBODY_WORDS})
_TOLD = re.compile(r"(?P<role>[a-z][a-z0-9-]{0,19}): (?P<who>.*)", re.DOTALL)


def parse_roles(words: str) -> dict[str, str]:
    """The roles by each word for them, that `comms, liaison=customers|clients` names; a role stands for itself.

    A role of ROLES brings its other words along. Raises ValueError for no role, too many, a name that is none, and a
    word that stands for two.
    """
    found: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in words.casefold().split(","))):
        role, _, others = part.partition("=")
        role = role.strip()
        for word in (role, *(ROLES.get(role, ()) if not others else re.split(r"[|\s]+", others.strip()))):
            if not _NAME.fullmatch(word) or word in _TAKEN:
                raise ValueError(f"{word!r} is no name of a role; up to 20 of a-z, 0-9 and -, such as comms")
            if found.setdefault(word, role) != role:
                raise ValueError(f"{word!r} stands for {found[word]} already")
    if not found or len(set(found.values())) > MOST_ROLES:
        raise ValueError(f"name 1 to {MOST_ROLES} roles, such as {', '.join(ROLES)}")
    return found


def write_role(role: str, who: str | None) -> str:
    """The words of an entry that gives the role to the handle `who`, `comms: @carol`; to nobody without one."""
    return f"{role}: {who or NOBODY}"


def read_role(text: str) -> tuple[str, str | None]:
    """The role and the name, without its @, in the words of such an entry; None where nobody has it from then on.

    Words of another form, which only a foreign file holds, are a role that nobody has.
    """
    told = _TOLD.fullmatch(text)
    if told is None:
        return text, None
    who = told["who"].removeprefix("@")
    return told["role"], None if who == NOBODY else who


def named_after(role: str) -> str:
    """What a blameless text calls the person who has the role: `the comms lead`, `the scribe`."""
    return f"the {role} lead" if role.endswith("s") else f"the {role}"
