"""The catalogue of templates: the shipped ones, and the operator's own, which take precedence."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.domain.words import closest_match
from bot.errors import UsageError

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates"
SHIPPED: Final = TEMPLATES / "postmortem"
DEFAULT: Final = "classic"
SUFFIX: Final = ".md.j2"
SUFFIXES: Final = (SUFFIX, ".md")
"""Of an operator's own templates; of two with the same name the first counts."""
MOST_BYTES: Final = 256 * 1024
"""A larger file is refused as a template."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_NO_TEMPLATES = frozenset({"readme"})
_ABOUT = re.compile(r"\s*\{#-?\s*(.*?)\s*-?#\}", re.DOTALL)
_LONGEST_ABOUT = 160


@dataclass(frozen=True, slots=True)
class TemplateCatalog:
    """The shipped templates and those in the operator's folder `custom_dir`, if there is one.

    Its files end in `.md.j2` or `.md`. A file in it replaces the shipped template of the same name, and a file in its
    folder `parts` the shipped part.
    """

    custom_dir: Path | None = None

    def names(self) -> tuple[str, ...]:
        """Every template's name, in alphabetical order."""
        return tuple(sorted(_names_in(SHIPPED) | (_names_in(self.custom_dir) if self.custom_dir else frozenset())))

    def is_custom(self, name: str) -> bool:
        """Whether the template, or a part that it may include, is the operator's and must run in the sandbox."""
        if self.custom_dir is None:
            return False
        return name in _names_in(self.custom_dir) or (self.custom_dir / "parts").is_dir()

    def shipped(self, name: str) -> str:
        """The shipped template of that name, else the default one."""
        return name if name in _names_in(SHIPPED) else DEFAULT

    def find(self, name: str) -> str:
        """The template's name in lower case. Raises UsageError for an unknown one, with the nearest."""
        names = self.names()
        wanted = name.lower()
        if wanted in names:
            return wanted
        guess = closest_match(wanted, names)
        meant = f" Did you mean {guess}?" if guess else ""
        raise UsageError(f"There is no template “{name[:40]}”.{meant} There is: {', '.join(names)}")

    def path(self, name: str) -> Path:
        """The file of a known template."""
        files = (self.custom_dir / f"{name}{suffix}" for suffix in SUFFIXES) if self.custom_dir else ()
        return next((file for file in files if file.is_file()), SHIPPED / f"{name}{SUFFIX}")

    def about(self, name: str) -> str:
        """The template's description: the comment at its top, on one line; empty without one."""
        try:
            with self.path(name).open(encoding="utf-8", errors="replace") as file:
                found = _ABOUT.match(file.read(4 * _LONGEST_ABOUT))
        except OSError:
            return ""
        words = " ".join(found[1].split()) if found else ""
        return words if len(words) <= _LONGEST_ABOUT else f"{words[: _LONGEST_ABOUT - 1]}…"


def _names_in(folder: Path) -> frozenset[str]:
    names = (path.name.removesuffix(suffix) for suffix in SUFFIXES for path in folder.glob(f"*{suffix}"))
    return frozenset(name for name in names if _NAME.fullmatch(name)) - _NO_TEMPLATES
