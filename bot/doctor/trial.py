"""`scribe doctor --try CHANNEL`: what Scribe does in Slack, done there for real, and taken away again."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.config import Settings
from bot.doctor.installation import Diagnosis, fail, ok, warn
from bot.errors import UsageError
from bot.slack.refusals import NO_FILES, TEMPORARY, TOKEN_REFUSED
from bot.slack.trial import Trial, on_trial, outcome

_CHANNEL, _USER = re.compile(r"[CGD][A-Z0-9]{2,20}"), re.compile(r"[UW][A-Z0-9]{2,20}")
_BY_MESSAGES = "Drafts come as messages, no file is needed; who administers the workspace may allow files."
_INVITE = "Have somebody type in that channel: /invite @scribe"
_FIXES = {
    **dict.fromkeys((*NO_FILES, "access_denied", "ekm_access_denied", "no_permission"), _BY_MESSAGES),
    **dict.fromkeys(TEMPORARY, "It passes: wait a minute, and try again."),
    **dict.fromkeys(TOKEN_REFUSED, "`scribe doctor` without --try says what is wrong with the token."),
    "not_in_channel": _INVITE,
    "channel_not_found": f"Look at the id, at the end of the channel's details; in a private channel: {_INVITE}",
    "invalid_channel": "Look at the id, at the end of the channel's details: C0123ABCD",
    "is_archived": "Take a channel that is not archived.",
    "restricted_action": "Who administers the workspace decides which apps post in that channel.",
    "posting_to_channel_denied": "Who administers the workspace decides which apps post in that channel.",
    "user_not_in_channel": "Name somebody who is in that channel.",
    "user_not_found": "Look at the id: the person's profile, the three dots, Copy member ID.",
}
"""What to do about Slack's error codes."""
_ADD_SCOPE = "On the app's page, OAuth & Permissions, add {scope} under Bot Token Scopes, then reinstall the app."
_ELSE = "Slack's word for it; docs.slack.dev says what it means."
_NETWORK = "Look at the network from this machine; `scribe doctor` without --try says more."
_NOBODY = "Say who: scribe doctor --try CHANNEL --user U0123ABCD, somebody in that channel."


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStep:
    """One thing to try. `undoes` names what an earlier step has to have done, `scope` what it takes.

    Without it Scribe works less well, unless it is `needed`.
    """

    subject: str
    run: Callable[[Trial], str]
    scope: str
    needed: bool = False
    for_user: bool = False
    undoes: str = ""


STEPS = (
    TrialStep(subject="post", run=Trial.post, scope="chat:write", needed=True),
    TrialStep(subject="whisper", run=Trial.whisper, scope="chat:write", needed=True, for_user=True),
    TrialStep(subject="upload", run=Trial.upload, scope="files:write"),
    TrialStep(subject="open", run=Trial.open, scope="none", needed=True),
    TrialStep(subject="home", run=Trial.home, scope="none", for_user=True),
    TrialStep(subject="delete", run=Trial.delete_message, scope="chat:write", undoes="message"),
    TrialStep(subject="delete", run=Trial.delete_file, scope="files:write", undoes="file"),
)


def trial(settings: Settings, channel: str, user: str = "") -> Iterator[Diagnosis]:
    """Try each step in turn, yielding what came of it. Raises UsageError for no id, or without a token."""
    if not _CHANNEL.fullmatch(channel):
        raise UsageError(f"{channel!r} is no channel's id; it stands at the end of the channel's details: C0123ABCD")
    if user and not _USER.fullmatch(user):
        raise UsageError(f"{user!r} is nobody's id; it is in the profile, the three dots, Copy member ID: U0123ABCD")
    token = settings.bot_token.get_secret_value()
    if not token:
        raise UsageError("SLACK_BOT_TOKEN is not set: there is nothing to try with")
    attempt = on_trial(token=token, api_url=settings.api_url, channel=channel, user=user)
    for step in STEPS:
        if step.undoes and step.undoes not in attempt.done:
            continue
        if step.for_user and not user:
            yield warn(step.subject, "not tried: nobody is named", fix=_NOBODY)
            continue
        yield _diagnosis(step, attempt)


def _diagnosis(step: TrialStep, attempt: Trial) -> Diagnosis:
    found = outcome(step.run, attempt)
    if found.done:
        return ok(step.subject, found.done)
    if found.unreached:
        message, fix = f"Slack is not reached ({found.unreached})", _NETWORK
    elif found.refusal == "missing_scope":
        scope = found.needed or step.scope
        message, fix = f"Slack refused: missing_scope, {scope}", _ADD_SCOPE.format(scope=scope)
    else:
        message, fix = f"Slack refused: {found.refusal}", _FIXES.get(found.refusal, _ELSE)
    if step.undoes:
        return warn(step.subject, f"{message}; the {step.undoes} is left there", fix=fix)
    return (fail if step.needed else warn)(step.subject, message, fix=fix)
