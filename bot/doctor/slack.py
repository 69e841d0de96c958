"""The tokens: are they there, and does Slack take them?"""

import re

from bot.config import ODD, TOKEN_SHAPE
from bot.doctor.diagnosis import Diagnosis, fail, ok, warn
from bot.doctor.installation import Patient
from bot.slack.asking import Answer

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


def bot_token(patient: Patient) -> list[Diagnosis]:
    """Whether the bot's token is set and Slack takes it; names the workspace."""
    if not patient.settings.bot_token.get_secret_value():
        return [fail(BOT, "SLACK_BOT_TOKEN is not set", fix=_BOT_AGAIN)]
    if not TOKEN_SHAPE.fullmatch(patient.settings.bot_token.get_secret_value()):
        return [fail(BOT, ODD.format(variable="SLACK_BOT_TOKEN"), fix=_COPY)]
    answer = patient.bot
    if answer.error is None:
        facts = answer.facts
        return [ok(BOT, f"{facts.get('user')} in {facts.get('team')}, workspace {facts.get('team_id')}")]
    return [_refused(BOT, "SLACK_BOT_TOKEN", answer, patient, _BOT_AGAIN)]


def app_token(patient: Patient) -> list[Diagnosis]:
    """Whether there is a way in: Socket Mode's token, which Slack takes, or else HTTP's signing secret."""
    settings = patient.settings
    secret = settings.signing_secret.get_secret_value()
    if settings.app_token.get_secret_value():
        if not TOKEN_SHAPE.fullmatch(settings.app_token.get_secret_value()):
            return [fail(APP, ODD.format(variable="SLACK_APP_TOKEN"), fix=_COPY)]
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


def _refused(about: str, variable: str, answer: Answer, patient: Patient, again: str) -> Diagnosis:
    error = str(answer.error)
    if not answer.reached:
        fix = _CERTIFICATE if "CERTIFICATE" in error else _NETWORK.format(url=patient.settings.api_url)
        return fail(about, f"Slack is not reached ({error})", fix=fix)
    if error in _PASSING or error.startswith("http_5"):
        return fail(about, f"Slack does not answer properly ({error})", fix=_LATER)
    return fail(about, f"Slack does not take {variable}: {_MORE.get(error, error)}", fix=again)
