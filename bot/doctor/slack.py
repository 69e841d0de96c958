"""Checks of Slack: the tokens, the scopes, the clock."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.config import MALFORMED, TOKEN_PATTERN, Settings
from bot.doctor.installation import Diagnosis, Installation, fail, ok, warn
from bot.slack.refusals import Verdict, judge_code
from bot.slack.trial import ProbeAnswer
from bot.vocabulary import SEVERITIES

BOT, APP, SECRET = "bot token", "app token", "signing secret"
_SECRET_SHAPE = re.compile(r"[0-9a-f]{32}")
_PAGE = "the app's page on api.slack.com/apps"
_NETWORK = "Look at the network from this machine: DNS, the firewall, HTTPS_PROXY; curl {url}auth.test should answer."
_LATER = "Slack itself is in trouble, or limits this app: see status.slack.com, and try again."
_NEW_BOT_TOKEN = f"On {_PAGE}, Install App, install it once more, and set SLACK_BOT_TOKEN to the new xoxb- token."
_NEW_APP_TOKEN = (
    f"On {_PAGE}, Basic Information, App-Level Tokens, generate one with connections:write; set SLACK_APP_TOKEN to it."
)
_CERTIFICATE = (
    "Something between here and Slack has a certificate of its own: let SSL_CERT_FILE name its authority's file."
)
_COPY_AGAIN = f"Copy it anew from {_PAGE}, all of it and in one line."
_EXPLANATIONS = {"missing_scope": "its scope connections:write is missing", "too_many_requests": "asked too often"}


def check_bot_token(installation: Installation) -> list[Diagnosis]:
    """Whether the bot's token is set and Slack accepts it; names the workspace."""
    if not installation.settings.bot_token.get_secret_value():
        return [fail(BOT, "SLACK_BOT_TOKEN is not set", fix=_NEW_BOT_TOKEN)]
    if not TOKEN_PATTERN.fullmatch(installation.settings.bot_token.get_secret_value()):
        return [fail(BOT, MALFORMED.format(variable="SLACK_BOT_TOKEN"), fix=_COPY_AGAIN)]
    answer = installation.bot
    if answer.error is None:
        facts = answer.facts
        return [ok(BOT, f"{facts.get('user')} in {facts.get('team')}, workspace {facts.get('team_id')}")]
    return [_refused(BOT, "SLACK_BOT_TOKEN", answer, installation, _NEW_BOT_TOKEN)]


def check_app_token(installation: Installation) -> list[Diagnosis]:
    """Whether Slack can reach the bot: a valid app token for Socket Mode, or else a signing secret for HTTP."""
    settings = installation.settings
    secret = settings.signing_secret.get_secret_value()
    if settings.app_token.get_secret_value():
        if not TOKEN_PATTERN.fullmatch(settings.app_token.get_secret_value()):
            return [fail(APP, MALFORMED.format(variable="SLACK_APP_TOKEN"), fix=_COPY_AGAIN)]
        answer = installation.app
        if answer.error is None:
            return [ok(APP, "Socket Mode opens")]
        return [_refused(APP, "SLACK_APP_TOKEN", answer, installation, _NEW_APP_TOKEN)]
    if not secret:
        fix = f"{_NEW_APP_TOKEN} Or, for HTTP, set SLACK_SIGNING_SECRET, which stands on the same page."
        return [fail(APP, "neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is set", fix=fix)]
    if not _SECRET_SHAPE.fullmatch(secret):
        fix = f"Copy the Signing Secret from {_PAGE}, Basic Information: 32 of 0-9 and a-f."
        return [warn(SECRET, "SLACK_SIGNING_SECRET does not look like one; Slack's requests would be refused", fix=fix)]
    return [ok(SECRET, "set; whether it is the right one shows with Slack's first request")]


def _refused(subject: str, variable: str, answer: ProbeAnswer, installation: Installation, fix: str) -> Diagnosis:
    """Why the token was not accepted: the network, Slack itself, or the token, which `fix` then replaces."""
    error = str(answer.error)
    if not answer.reached:
        network = _CERTIFICATE if "CERTIFICATE" in error else _NETWORK.format(url=installation.settings.api_url)
        return fail(subject, f"Slack is not reached ({error})", fix=network)
    if judge_code(error) is Verdict.LATER or error.startswith("http_5"):
        return fail(subject, f"Slack does not answer properly ({error})", fix=_LATER)
    return fail(subject, f"Slack does not take {variable}: {_EXPLANATIONS.get(error, error)}", fix=fix)


SCOPES = "scopes"
_ADD_SCOPES = (
    "On the app's page, OAuth & Permissions, add {scopes} under Bot Token Scopes, then reinstall the app; "
    "`scribe manifest` prints all of it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What some scopes are for. `without` is the effect of their absence: a failure when `needed`, else a warning.

    `is_on` returns whether the settings turn the feature on.
    """

    name: str
    scopes: tuple[str, ...]
    without: str
    needed: bool = False
    is_on: Callable[[Settings], bool] = lambda _settings: True


FEATURES = (
    Feature(
        name="commands and their answers", scopes=("commands", "chat:write"), needed=True,
        without="Scribe does not work",
    ),
    Feature(name="the draft as a file", scopes=("files:write",), without="it comes as messages"),
    Feature(
        name="people's own zones and who is a member", scopes=("users:read",),
        without="everybody's zone is SCRIBE_TIMEZONE, and as nobody is known to be a member, people see the incident "
        "of the channel they are in alone; where no guests and no partners are, SCRIBE_STANDING=assume-members changes "
        "that",
    ),
    Feature(name="@scribe in threads", scopes=("app_mentions:read",), without="Scribe does not hear its name"),
    Feature(
        name="direct messages to Scribe", scopes=("im:history",),
        without="what people write to it alone is not answered; `scribe manifest --no-direct` takes the place to write",
    ),
    Feature(
        name="the pin of an incident's card", scopes=("pins:write",), without="the card is not pinned in its channel",
        is_on=lambda settings: settings.card,
    ),
    Feature(
        name="SCRIBE_REACTIONS", scopes=("channels:history", "groups:history", "reactions:read"), needed=True,
        without="reactions put nothing on the timeline", is_on=lambda settings: bool(settings.reactions),
    ),
    Feature(
        name="SCRIBE_PINS", scopes=("pins:read",), needed=True,
        without="pins put nothing on the timeline", is_on=lambda settings: settings.pins,
    ),
    Feature(
        name="SCRIBE_FILES", scopes=("files:read",), needed=True,
        without="no pictures and files of messages are kept", is_on=lambda settings: bool(settings.files),
    ),
    Feature(
        name="SCRIBE_CANVAS", scopes=("canvases:write",), needed=True,
        without="no postmortem gets into a canvas", is_on=lambda settings: settings.canvas,
    ),
    Feature(
        name="SCRIBE_CHANNELS", scopes=("channels:manage", "groups:write"), needed=True,
        without="no channel is made for an incident", is_on=lambda settings: settings.channels,
    ),
    Feature(
        name="SCRIBE_CHANNELS", scopes=("channels:read", "groups:read"),
        without="a channel that was made just before a crash is not found again; the next one has another name",
        is_on=lambda settings: settings.channels,
    ),
    Feature(
        name="groups in SCRIBE_INVITE_SEV1 to 4", scopes=("usergroups:read",),
        without="the people of a group are not invited",
        is_on=lambda settings: any(each.startswith("S") for level in SEVERITIES for each in settings.invited(level)),
    ),
    Feature(
        name="SCRIBE_FOLLOW_EDITS", scopes=("channels:history", "groups:history"), needed=True,
        without="edits of messages are not noted", is_on=lambda settings: settings.follow_edits,
    ),
)  # fmt: skip


def check_scopes(installation: Installation) -> list[Diagnosis]:
    """The missing scopes, by feature. Nothing while Slack does not accept the token."""
    if not installation.settings.bot_token.get_secret_value() or installation.bot.error is not None:
        return []
    granted = installation.bot.scopes
    if granted is None:
        fix = "Compare OAuth & Permissions on the app's page with what `scribe manifest` prints."
        return [warn(SCOPES, "Slack did not say which the token has", fix=fix)]
    wanted = [feature for feature in FEATURES if feature.is_on(installation.settings)]
    found = []
    for feature in wanted:
        missing = ", ".join(scope for scope in feature.scopes if scope not in granted)
        if missing:
            message = f"{missing} missing, for {feature.name}: {feature.without}"
            diagnose = fail if feature.needed else warn
            found.append(diagnose(SCOPES, message, fix=_ADD_SCOPES.format(scopes=missing)))
    return found or [ok(SCOPES, f"all {len({scope for each in wanted for scope in each.scopes})} that are wanted")]


OFF = "off"


def check_off(installation: Installation) -> list[Diagnosis]:
    """What the settings leave off, which asks for no scope. Nothing where all is on."""
    off = dict.fromkeys(each.name for each in FEATURES if not each.is_on(installation.settings))
    return [ok(OFF, f"by the settings, and asking for no scope: {', '.join(off)}")] if off else []


CLOCK = "clock"
WARN_S, FAIL_S = 60, 300
"""Slack's requests are signed with their time and refused after five minutes (Slack, "Verifying requests")."""
_SET_CLOCK = (
    "Set this machine's clock by NTP: timedatectl set-ntp true, or chronyd; then timedatectl shows whether it holds."
)


def check_clock(installation: Installation) -> list[Diagnosis]:
    """The difference between this machine's clock and Slack's. Nothing while Slack is not reached."""
    if not installation.settings.bot_token.get_secret_value() or not installation.bot.reached:
        return []
    ahead_s = installation.bot.ahead_s
    if ahead_s is None:
        return [warn(CLOCK, "Slack's answer had no time to compare with", fix=_SET_CLOCK)]
    off_s = abs(ahead_s)
    if off_s <= WARN_S:
        return [ok(CLOCK, "as Slack's, within a minute")]
    message = f"{off_s:.0f} s {'ahead of' if ahead_s > 0 else 'behind'} Slack's; times without words are wrong by that"
    if off_s <= FAIL_S:
        return [warn(CLOCK, message, fix=_SET_CLOCK)]
    return [fail(CLOCK, f"{message}, and in HTTP mode every request of Slack's is refused", fix=_SET_CLOCK)]
