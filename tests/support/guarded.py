"""What threads share, and the lock that it may be touched under only."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, Protocol

_ACCESS = (
    "__contains__", "__delitem__", "__getitem__", "__iter__", "__len__", "__setitem__", "add", "append", "clear", "get",
    "items", "keys", "pop", "setdefault", "update", "values",
)  # fmt: skip


class Locked(Protocol):
    """A lock that can be asked whether somebody holds it."""

    def locked(self) -> bool: ...


def guard(owner: object, name: str, lock: Locked, unguarded: list[str]) -> None:
    """Have each touch of the collection in the owner's attribute while nobody holds the lock added to `unguarded`."""
    shared = getattr(owner, name)
    kind = type(shared)

    def checked(access: str) -> Callable[..., Any]:
        plain = getattr(kind, access)

        def touch(self: object, *arguments: Any) -> Any:
            if not lock.locked():
                unguarded.append(f"{type(owner).__name__}.{name}: {access}")
            return plain(self, *arguments)

        return touch

    guarded = type(kind.__name__, (kind,), {each: checked(each) for each in _ACCESS if hasattr(kind, each)})
    setattr(owner, name, guarded(shared))


@contextmanager
def turns(locks: Mapping[Callable[..., Any], Locked]) -> Iterator[dict[str, set[bool]]]:
    """Of each function that this thread runs in the block: whether the lock was held, by the function's name."""
    codes: dict[CodeType, tuple[str, Locked]] = {
        each.__code__: (each.__qualname__, lock) for each, lock in locks.items()
    }
    found: dict[str, set[bool]] = {name: set() for name, _ in codes.values()}

    def look(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code in codes:
            name, lock = codes[frame.f_code]
            found[name].add(lock.locked())

    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(None)
