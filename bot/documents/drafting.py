"""A draft in the template asked for; where that is the operator's own and broken, in a shipped one, and it says so."""

from dataclasses import dataclass

from bot.documents import rendering
from bot.documents.rendering import RENDER_LOCK
from bot.documents.sandbox import LIMIT_S, WAIT_S, BrokenTemplateError, describe_error
from bot.documents.sandbox import render as render_confined
from bot.documents.templates import MOST_BYTES, TemplateCatalog
from bot.domain.postmortem.document import Document
from bot.errors import UsageError
from storage.values import Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """What was drafted; where the template asked for did not do, `problem` says why and `instead` names the other."""

    sections: tuple[Section, ...]
    problem: str | None = None
    instead: str | None = None


def draft_sections(
    document: Document, name: str, catalog: TemplateCatalog, *, limit_s: float = LIMIT_S, wait_s: float = WAIT_S
) -> Drafted:
    """The document in the template `name`. A template that is gone or broken never keeps it from being drafted.

    The operator's own get `limit_s` seconds, after waiting for their turn for at most `wait_s`; no lock and no
    transaction should be held meanwhile.
    """
    try:
        return Drafted(sections=_sections(document, catalog.find(name), catalog, limit_s, wait_s))
    except (BrokenTemplateError, UsageError) as error:
        instead = catalog.shipped(name)
        return Drafted(sections=_shipped(document, instead), problem=str(error), instead=instead)


def _sections(
    document: Document, name: str, catalog: TemplateCatalog, limit_s: float, wait_s: float
) -> tuple[Section, ...]:
    if catalog.is_custom(name):
        return render_confined(document, catalog, name, limit_s=limit_s, wait_s=wait_s)
    return _shipped(document, name)


def _shipped(document: Document, name: str) -> tuple[Section, ...]:
    with RENDER_LOCK:
        return rendering.render_draft(document, name)


def check_template(name: str, catalog: TemplateCatalog) -> None:
    """Read the template without running it. Raises UsageError with file and line where its grammar is wrong."""
    path = catalog.path(name)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path.name} is larger than a template may be: {MOST_BYTES:,} bytes.")
        rendering.parse(path.read_text(encoding="utf-8"), path)
    except (*rendering.UNREADABLE, UnicodeDecodeError) as error:
        raise UsageError(f"The template is broken, so nothing was drafted. {describe_error(error, name)}") from None
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}") from None
