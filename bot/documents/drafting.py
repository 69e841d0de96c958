"""Drafts a document in a template, or in a shipped one if the operator's own template is broken."""

from dataclasses import dataclass

from bot.documents import escaping, rendering, sandbox
from bot.documents.rendering import RENDER_LOCK
from bot.documents.sandbox import LIMIT_S, WAIT_S, BrokenTemplateError, describe_error
from bot.documents.templates import MOST_BYTES, TemplateCatalog
from bot.domain.postmortem.document import Document
from bot.domain.postmortem.redraft import renames
from bot.errors import UsageError
from storage.values import Postmortem, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The drafted sections. If the chosen template failed, `problem` says why and `instead` names the one used."""

    sections: tuple[Section, ...]
    problem: str | None = None
    instead: str | None = None


def draft_sections(
    document: Document, name: str, catalog: TemplateCatalog, *, limit_s: float = LIMIT_S, wait_s: float = WAIT_S
) -> Drafted:
    """Draft the document in the template `name`, or in a shipped one if that template is missing or broken.

    An operator's own template is rendered within `limit_s` seconds, after at most `wait_s` seconds of waiting for a
    free process; the caller should hold no lock and no transaction meanwhile.
    """
    try:
        found = catalog.find(name)
        if catalog.is_custom(found):
            return Drafted(sections=sandbox.render(document, catalog, found, limit_s=limit_s, wait_s=wait_s))
        return Drafted(sections=_shipped(document, found))
    except (BrokenTemplateError, UsageError) as error:
        instead = catalog.shipped(name)
        return Drafted(sections=_shipped(document, instead), problem=str(error), instead=instead)


def _shipped(document: Document, name: str) -> tuple[Section, ...]:
    with RENDER_LOCK:
        return rendering.render_draft(document, name)


def renamed(before: Postmortem | None, document: Document) -> dict[str, str]:
    """The names that the template printed in `before` and prints otherwise now, both as Markdown."""
    changed = renames(before.names, document.names) if before else {}
    return {escaping.markdown(old): escaping.markdown(new) for old, new in changed.items()}


def check_template(name: str, catalog: TemplateCatalog) -> None:
    """Parse the template without running it. Raises UsageError with file and line of a syntax error."""
    path = catalog.path(name)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path.name} is larger than a template may be: {MOST_BYTES:,} bytes.")
        rendering.parse(path.read_text(encoding="utf-8"), path)
    except (*rendering.UNREADABLE, UnicodeDecodeError) as error:
        raise UsageError(
            f"The template is broken, so nothing was drafted. {describe_error(error, path.name)}"
        ) from None
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}") from None
