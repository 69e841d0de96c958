"""What Slack's error codes mean for the next attempt, and how long to wait before it.

The codes are those of the tables "Errors" on docs.slack.dev/reference/methods, of the methods named below; those that
all methods share stand on each of these pages. Which of them pass is Scribe's judgement: the pages seldom say.
"""

import random
from enum import Enum
from http.client import HTTPException

from slack_sdk.errors import SlackApiError, SlackClientError

REQUEST_TIMEOUT, TOO_MANY, SERVER_ERROR = 408, 429, 500
"""HTTP statuses; from SERVER_ERROR on, the failure is the server's."""
LONGEST_RETRY_AFTER_S = 3_600.0
MOST_UNKNOWN = 4
"""Attempts at a call that is refused with a code that is in no table here."""
MOST_FILE_FAILURES = 6
"""Attempts, in about a minute, at sharing a file."""
_DEFAULT_RETRY_S = 1.0
_DOUBLINGS = 12
_RANDOM = random.Random()  # noqa: S311 - no secret

TEMPORARY = frozenset(
    {
        # Every method. `accesslimited` is about the network of the moment, the two of an organisation about a
        # workspace that is being moved into one.
        "accesslimited", "fatal_error", "internal_error", "org_login_required", "ratelimited", "request_timeout",
        "service_unavailable", "team_added_to_org",
        # chat.postMessage: too many messages of the app, or of everybody; a shared channel that is being moved.
        "external_channel_migrating", "message_limit_exceeded", "rate_limited",
        # rtm.start and files.*, of old.
        "migration_in_progress",
        # apps.connections.open, beside the status 429.
        "too_many_requests",
    }
)  # fmt: skip
"""After these the same call may succeed later."""
TOKEN_REFUSED = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})
"""The token is invalid, revoked or expired (every method)."""
NOT_A_MEMBER = frozenset({"not_in_channel", "channel_not_found"})
"""The bot is no member of the channel (chat.postMessage, files.completeUploadExternal)."""
ARCHIVED = frozenset({"is_archived"})
UNEDITABLE = ARCHIVED | NOT_A_MEMBER | {"cant_update_message", "edit_window_closed", "is_inactive", "message_not_found"}
"""A message that nobody can edit any more (chat.update)."""
NO_RECIPIENT = frozenset({"user_not_found", "user_disabled", "user_not_visible", "cannot_dm_bot"})
"""A person who cannot get a message (conversations.open); `account_inactive` is about the bot's own token."""
ONE_FILE = frozenset({"file_type_not_allowed", "file_upload_size_restricted", "malware_detected"})
"""A file is refused for what it is (files.completeUploadExternal); another may be taken."""
NO_FILES = ONE_FILE | {
    "file_update_failed", "file_uploads_disabled", "file_uploads_except_images_disabled", "invalid_channel",
    "posting_to_channel_denied", "storage_limit_reached",
}  # fmt: skip
"""A file is refused (files.getUploadURLExternal, files.completeUploadExternal)."""
PERMANENT = (
    frozenset(
        {
            # Every method: what the token may do, what an admin lets it do, and how the call is written.
            "access_denied", "deprecated_endpoint", "ekm_access_denied", "enterprise_is_restricted",
            "insecure_request", "invalid_arg_name", "invalid_arguments", "invalid_array_arg", "invalid_charset",
            "invalid_form_data", "invalid_json", "invalid_post_type", "is_bot", "json_not_object",
            "method_deprecated", "method_not_supported_for_channel_type", "missing_args", "missing_post_type",
            "missing_scope", "no_permission", "not_allowed_token_type", "team_access_not_granted", "team_not_found",
            "two_factor_setup_required", "unknown_method",
            # apps.connections.open
            "forbidden_team",
            # chat.postMessage, chat.postEphemeral, chat.update
            "as_user_not_supported", "attachment_payload_limit_exceeded", "cannot_reply_to_message",
            "cant_update_message", "duplicate_channel_not_found", "edit_window_closed", "invalid_attachments",
            "invalid_blocks", "invalid_blocks_format", "invalid_metadata_format", "invalid_metadata_schema",
            "is_inactive", "markdown_text_conflict", "message_not_found", "messages_tab_disabled",
            "metadata_must_be_sent_from_app", "metadata_too_large", "msg_blocks_too_long", "msg_too_long", "no_text",
            "restricted_action", "restricted_action_non_threadable_channel",
            "restricted_action_read_only_channel", "restricted_action_thread_locked",
            "restricted_action_thread_only_channel", "slack_connect_blocked_file_type",
            "slack_connect_canvas_sharing_blocked", "slack_connect_file_link_sharing_blocked",
            "slack_connect_file_upload_sharing_blocked", "too_many_attachments", "user_not_in_channel",
            # views.open, views.update, views.publish
            "duplicate_external_id", "exchanged_trigger_id", "expired_trigger_id", "hash_conflict",
            "invalid_trigger_id", "not_enabled", "not_found", "push_limit_reached", "view_too_large",
            # conversations.create, conversations.invite, conversations.archive, conversations.setPurpose
            "already_archived", "already_in_channel", "cannot_create_channel", "cant_archive_general",
            "cant_archive_required", "cant_invite", "cant_invite_self", "invalid_name", "invalid_name_maxlength",
            "invalid_name_punctuation", "invalid_name_required", "invalid_name_specials", "name_taken",
            "no_channel", "no_external_invite_permission", "no_user", "not_authorized", "too_long", "too_many_users",
            "ura_max_channels", "user_is_restricted", "user_is_ultra_restricted",
            # usergroups.users.list
            "no_such_subteam", "plan_upgrade_required",
            # files.*, canvases.*
            "canvas_deleted", "canvas_not_found", "file_not_found", "restricted_plan_level",
        }
    )
    | TOKEN_REFUSED | NOT_A_MEMBER | ARCHIVED | NO_RECIPIENT | NO_FILES
)  # fmt: skip
"""After these the same call never succeeds, unless a person changes something."""


class ForeignAnswerError(SlackClientError):
    """What answered was not Slack's Web API: a proxy's page, a redirect, nothing at all. Says nothing of its words.

    `status` is the answer's HTTP status, 0 where it has none; `retry_after` is the header of that name. A `problem` in
    one word of ours says more than the status.
    """

    def __init__(self, status: int, retry_after: str | None = None, *, problem: str | None = None) -> None:
        super().__init__(problem or f"http_{status}")
        self.status = status
        self.retry_after = retry_after


class FileRefusedError(SlackClientError):
    """The upload URL takes no file; it has no error codes. `status` is its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"http_{status}")
        self.status = status


class FileKeptBackError(SlackClientError):
    """Slack does not give a file's bytes, and will not: it is gone, or this app may not have it. The message is why."""


class SourceAwayError(SlackClientError):
    """A system other than Slack was asked often enough, in vain. The message is why, in a word."""


class Verdict(Enum):
    """Whether a call that failed may succeed later."""

    LATER = "later"
    NEVER = "never"
    UNKNOWN = "unknown"


def judge(error: Exception) -> Verdict:
    """What the failure of a call means. All but Slack's own words is for now: the network, a proxy, a time-out."""
    if isinstance(error, (FileKeptBackError, SourceAwayError)):
        return Verdict.NEVER
    if not isinstance(error, SlackApiError):
        return Verdict.LATER if isinstance(error, (SlackClientError, OSError, HTTPException)) else Verdict.UNKNOWN
    status = error.response.status_code
    return judge_code(reason(error)) if status < SERVER_ERROR and status not in _TRY_AGAIN else Verdict.LATER


_TRY_AGAIN = frozenset({REQUEST_TIMEOUT, TOO_MANY})


def judge_code(code: str) -> Verdict:
    """What one of Slack's error codes means."""
    if code in TEMPORARY:
        return Verdict.LATER
    return Verdict.NEVER if code in PERMANENT else Verdict.UNKNOWN


def gives_up(error: Exception, attempts: int) -> bool:
    """Whether a call that has been made so many times, and failed like that, should not be made again."""
    outcome = judge(error)
    return outcome is Verdict.NEVER or (outcome is Verdict.UNKNOWN and attempts >= MOST_UNKNOWN)


def reason(error: Exception) -> str:
    """Slack's error code, otherwise the exception's name; never the request, which contains the token."""
    if isinstance(error, (ForeignAnswerError, FileRefusedError, FileKeptBackError, SourceAwayError)):
        return str(error)
    if not isinstance(error, SlackApiError):
        return type(error).__name__
    code = error.response.get("error") if isinstance(error.response.data, dict) else None
    return str(code or f"http_{error.response.status_code}")


def retry_after_s(error: Exception) -> float | None:
    """The seconds that an answer asks to wait, at most an hour; None where it asks for none."""
    if isinstance(error, SlackApiError):
        status, asked = error.response.status_code, error.response.headers.get("Retry-After")
    elif isinstance(error, ForeignAnswerError):
        status, asked = error.status, error.retry_after
    else:
        return None
    try:
        wait_s = float(asked)
    except (TypeError, ValueError):
        return _DEFAULT_RETRY_S if status == TOO_MANY else None
    # NaN compares false with everything.
    return min(max(wait_s, 0.0), LONGEST_RETRY_AFTER_S) if wait_s == wait_s else None  # noqa: PLR0124


def backoff_s(attempts: int, *, longest_s: float) -> float:
    """The seconds to wait after so many failures: doubled with each, at most `longest_s`.

    Up to half of it is random, so that calls that failed together do not all return together.
    """
    return min(longest_s, 2.0 ** min(attempts, _DOUBLINGS)) * _RANDOM.uniform(0.5, 1.0)


def needs_messages(error: Exception, attempts: int) -> bool:
    """Whether a file that could not be shared, so many times, should come as messages instead.

    Something between here and Slack may refuse files for ever and look like a failure that passes.
    """
    if refuses_file(error):
        return True
    return attempts >= MOST_FILE_FAILURES and retry_after_s(error) is None


def refuses_file(error: Exception) -> bool:
    """Whether Slack's answer to an upload means that the file will not be taken, while a message may be."""
    if isinstance(error, FileRefusedError):
        return True
    refused = isinstance(error, SlackApiError) and judge(error) is not Verdict.LATER
    return refused and reason(error) not in TOKEN_REFUSED
