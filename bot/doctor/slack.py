"""What can be wrong on the side of Slack: tokens, scopes, the clock."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.config import MALFORMED, TOKEN_PATTERN, Settings
from bot.doctor.installation import Diagnosis, Installation, fail, ok, warn
from bot.slack.client import ProbeAnswer

BOT, APP, SECRET = "bot token", "app token", "signing secret"
_SECRET_SHAPE = re.compile(r"[0-9a-f]{32}")
_PAGE = "the app's page on api.slack.com/apps"
_NETWORK = "Look at the network from this machine: DNS, the firewall, HTTPS_PROXY; curl {url}auth.test should answer."
_LATER = "Slack itself is in trouble, or limits this app: see status.slack.com, and try again."
_BOT_AGAIN = f"On {_PAGE}, Install App, install it once more, and set SLACK_BOT_TOKEN to the new xoxb- token."
_APP_AGAIN = (
    f"On {_PAGE}, Basic Information, App-Level Tokens, generate one with connections:write; set SLACK_APP_TOKEN to it."
)
_CERTIFICATE = (
    "Something between here and Slack has a certificate of its own: let SSL_CERT_FILE name its authority's file."
)
_COPY = f"Copy it anew from {_PAGE}, all of it and in one line."
_MORE = {"missing_scope": "its scope connections:write is missing", "too_many_requests": "asked too often"}
_PASSING = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})


def check_bot_token(patient: Installation) -> list[Diagnosis]:
    """Whether the bot's token is set and Slack takes it; names the workspace."""
    if not patient.settings.bot_token.get_secret_value():
        return [fail(BOT, "SLACK_BOT_TOKEN is not set", fix=_BOT_AGAIN)]
    if not TOKEN_PATTERN.fullmatch(patient.settings.bot_token.get_secret_value()):
        return [fail(BOT, MALFORMED.format(variable="SLACK_BOT_TOKEN"), fix=_COPY)]
    answer = patient.bot
    if answer.error is None:
        facts = answer.facts
        return [ok(BOT, f"{facts.get('user')} in {facts.get('team')}, workspace {facts.get('team_id')}")]
    return [_refused(BOT, "SLACK_BOT_TOKEN", answer, patient, _BOT_AGAIN)]


def check_app_token(patient: Installation) -> list[Diagnosis]:
    """Whether there is a way in: Socket Mode's token, which Slack takes, or else HTTP's signing secret."""
    settings = patient.settings
    secret = settings.signing_secret.get_secret_value()
    if settings.app_token.get_secret_value():
        if not TOKEN_PATTERN.fullmatch(settings.app_token.get_secret_value()):
            return [fail(APP, MALFORMED.format(variable="SLACK_APP_TOKEN"), fix=_COPY)]
        answer = patient.app
        if answer.error is None:
            return [ok(APP, "Socket Mode opens")]
        return [_refused(APP, "SLACK_APP_TOKEN", answer, patient, _APP_AGAIN)]
    if not secret:
        fix = f"{_APP_AGAIN} Or, for HTTP, set SLACK_SIGNING_SECRET, which stands on the same page."
        return [fail(APP, "neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set", fix=fix)]
    if not _SECRET_SHAPE.fullmatch(secret):
        fix = f"Copy the Signing Secret from {_PAGE}, Basic Information: 32 of 0-9 and a-f."
        return [warn(SECRET, "SLACK_SIGNING_SECRET does not look like one; Slack's requests would be refused", fix=fix)]
    return [ok(SECRET, "set; whether it is the right one shows with Slack's first request")]


def _refused(about: str, variable: str, answer: ProbeAnswer, patient: Installation, again: str) -> Diagnosis:
    error = str(answer.error)
    if not answer.reached:
        fix = _CERTIFICATE if "CERTIFICATE" in error else _NETWORK.format(url=patient.settings.api_url)
        return fail(about, f"Slack is not reached ({error})", fix=fix)
    if error in _PASSING or error.startswith("http_5"):
        return fail(about, f"Slack does not answer properly ({error})", fix=_LATER)
    return fail(about, f"Slack does not take {variable}: {_MORE.get(error, error)}", fix=again)


SCOPES = "scopes"
_ADD_SCOPES = (
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


def check_scopes(patient: Installation) -> list[Diagnosis]:
    """What is missing, by feature. Nothing while Slack does not take the token."""
    if not patient.settings.bot_token.get_secret_value() or patient.bot.error is not None:
        return []
    held = patient.bot.scopes
    if held is None:
        fix = "Compare OAuth & Permissions on the app's page with what `scribe manifest` prints."
        return [warn(SCOPES, "Slack did not say which the token has", fix=fix)]
    wanted = [feature for feature in FEATURES if feature.on(patient.settings)]
    missing = [told for feature in wanted if (told := _missing(feature, held))]
    return missing or [ok(SCOPES, f"all {len({scope for each in wanted for scope in each.scopes})} that are wanted")]


def _missing(feature: Feature, held: frozenset[str]) -> Diagnosis | None:
    lacking = [scope for scope in feature.scopes if scope not in held]
    if not lacking:
        return None
    tell = fail if feature.needed else warn
    says = f"{', '.join(lacking)} missing, for {feature.name}: {feature.without}"
    return tell(SCOPES, says, fix=_ADD_SCOPES.format(scopes=", ".join(lacking)))


CLOCK = "clock"
WARN_S, FAIL_S = 60, 300
"""Slack's requests are signed with their time and refused after five minutes (Slack, "Verifying requests")."""
_SET_CLOCK = (
    "Set this machine's clock by NTP: timedatectl set-ntp true, or chronyd; then timedatectl shows whether it holds."
)


def check_clock(patient: Installation) -> list[Diagnosis]:
    """How far the clocks are apart. Nothing while Slack is not reached."""
    if not patient.settings.bot_token.get_secret_value() or not patient.bot.reached:
        return []
    ahead_s = patient.bot.ahead_s
    if ahead_s is None:
        return [warn(CLOCK, "Slack's answer had no time to compare with", fix=_SET_CLOCK)]
    return [of_skew(ahead_s)]


def of_skew(ahead_s: float) -> Diagnosis:
    """What to say of a clock that is so many seconds ahead of Slack's, or behind it when negative."""
    off_s = abs(ahead_s)
    if off_s <= WARN_S:
        return ok(CLOCK, "as Slack's, within a minute")
    says = f"{off_s:.0f} s {'ahead of' if ahead_s > 0 else 'behind'} Slack's; times without words are wrong by that"
    if off_s <= FAIL_S:
        return warn(CLOCK, says, fix=_SET_CLOCK)
    return fail(CLOCK, f"{says}, and in HTTP mode every request of Slack's is refused", fix=_SET_CLOCK)
