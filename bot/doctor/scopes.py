"""The scopes of the bot's token, feature by feature."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.config import Settings
from bot.doctor.diagnosis import Diagnosis, fail, ok, warn
from bot.doctor.installation import Patient

ABOUT = "scopes"
_FIX = (
    "On the app's page, OAuth & Permissions, add {scopes} under Bot Token Scopes, then reinstall the app; "
    "`scribe manifest` prints all of it."
)


def _always(_settings: Settings) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What some scopes are for. `without` says what happens when they are missing; `needed`, that this is a failure.

    `on` says whether the settings want the feature.
    """

    name: str
    scopes: tuple[str, ...]
    without: str
    needed: bool = False
    on: Callable[[Settings], bool] = _always


FEATURES = (
    Feature(
        name="commands and their answers", scopes=("commands", "chat:write"), needed=True,
        without="Scribe does not work",
    ),
    Feature(name="the draft as a file", scopes=("files:write",), without="it comes as messages"),
    Feature(
        name="times in people's own zones", scopes=("users:read",), without="everybody's zone is SCRIBE_TIMEZONE"
    ),
    Feature(name="@scribe in threads", scopes=("app_mentions:read",), without="Scribe does not hear its name"),
    Feature(
        name="SCRIBE_REACTIONS", scopes=("channels:history", "groups:history", "reactions:read"), needed=True,
        without="reactions put nothing on the timeline", on=lambda settings: bool(settings.reactions),
    ),
    Feature(
        name="SCRIBE_CANVAS", scopes=("canvases:write",), needed=True,
        without="no postmortem gets into a canvas", on=lambda settings: settings.canvas,
    ),
)  # fmt: skip


def scopes(patient: Patient) -> list[Diagnosis]:
    """What is missing, by feature. Nothing while Slack does not take the token."""
    if not patient.settings.bot_token.get_secret_value() or patient.bot.error is not None:
        return []
    held = patient.bot.scopes
    if held is None:
        fix = "Compare OAuth & Permissions on the app's page with what `scribe manifest` prints."
        return [warn(ABOUT, "Slack did not say which the token has", fix=fix)]
    wanted = [feature for feature in FEATURES if feature.on(patient.settings)]
    missing = [told for feature in wanted if (told := _missing(feature, held))]
    return missing or [ok(ABOUT, f"all {len({scope for each in wanted for scope in each.scopes})} that are wanted")]


def _missing(feature: Feature, held: frozenset[str]) -> Diagnosis | None:
    lacking = [scope for scope in feature.scopes if scope not in held]
    if not lacking:
        return None
    tell = fail if feature.needed else warn
    says = f"{', '.join(lacking)} missing, for {feature.name}: {feature.without}"
    return tell(ABOUT, says, fix=_FIX.format(scopes=", ".join(lacking)))
