import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.fakeslack.files import FILE_POLICIES
from bot.fakeslack.slack import Slack


def test_a_file_is_uploaded_and_shared_with_its_comment(slack: Slack, client: WebClient, channel: str) -> None:
    done = client.files_upload_v2(
        channel=channel,
        filename="INC-1.md",
        content="# Päge\n",
        title="Postmortem",
        initial_comment="Here it is",
    )
    file = slack.files[-1]
    assert (file.name, file.title, file.content) == ("INC-1.md", "Postmortem", "# Päge\n".encode())
    assert (file.channel, file.initial_comment, file.id) == (channel, "Here it is", done["file"]["id"])
    (message,) = slack.messages(channel)
    assert (message.text, message.files) == ("Here it is", (file,))


def test_several_files_are_uploaded_into_a_thread(slack: Slack, client: WebClient, channel: str) -> None:
    root = client.chat_postMessage(channel=channel, text="root")["ts"]
    uploads = [{"filename": f"{index}.svg", "content": f"<svg id='{index}'/>"} for index in range(2)]
    client.files_upload_v2(channel=channel, thread_ts=root, file_uploads=uploads)
    message = slack.messages(channel)[-1]
    assert message.thread_ts == root
    assert [file.name for file in message.files] == ["0.svg", "1.svg"]


def test_a_file_without_a_channel_is_shared_nowhere(slack: Slack, client: WebClient) -> None:
    client.files_upload_v2(filename="private.txt", content=b"x")
    assert slack.files[-1].channel is None


def test_a_file_is_shared_only_where_the_bot_is(slack: Slack, client: WebClient) -> None:
    slack.scopes = {*slack.scopes, "chat:write.public"}
    away, count = slack.add_channel("away", bot_is_member=False), len(slack.files)
    with pytest.raises(SlackApiError, match="not_in_channel"):
        client.files_upload_v2(channel=away, filename="a.txt", content="x")
    with pytest.raises(SlackApiError, match="channel_not_found"):
        client.files_upload_v2(channel="C404", filename="a.txt", content="x")
    with pytest.raises(SlackApiError, match="thread_not_found"):
        client.files_upload_v2(channel=slack.add_channel("b"), filename="a.txt", content="x", thread_ts="1.000001")
    assert len(slack.files) == count


def test_multipart_bytes_do_as_well_as_raw_ones(slack: Slack, client: WebClient) -> None:
    begun = client.files_getUploadURLExternal(filename="a.bin", length=4)
    sent = httpx.post(begun["upload_url"], files={"file": ("a.bin", b"\x00\r\n\xff")}, trust_env=False)
    assert (sent.status_code, sent.text) == (200, "OK - 4")
    client.files_completeUploadExternal(files=[{"id": begun["file_id"]}])
    assert slack.files[-1].content == b"\x00\r\n\xff"


def test_bytes_of_another_length_or_to_nowhere_are_refused(slack: Slack, client: WebClient) -> None:
    begun = client.files_getUploadURLExternal(filename="a.txt", length=4)
    assert httpx.post(begun["upload_url"], content=b"12345", trust_env=False).status_code == 400
    assert httpx.post(f"{slack.address}/upload/v1/none", content=b"x", trust_env=False).status_code == 404
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_completeUploadExternal(files=[{"id": begun["file_id"]}])


def test_an_upload_is_completed_once(client: WebClient) -> None:
    done = client.files_upload_v2(filename="a.txt", content="x")
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_completeUploadExternal(files=[{"id": done["file"]["id"], "title": "again"}])
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        client.files_getUploadURLExternal(filename="a.txt", length=0)


@pytest.mark.parametrize("policy", sorted(FILE_POLICIES))
def test_files_are_refused_by_each_policy_until_it_ends(
    slack: Slack, client: WebClient, channel: str, policy: str
) -> None:
    count = len(slack.files)
    slack.refuse_files(policy)
    try:
        with pytest.raises(SlackApiError, match=policy):
            client.files_upload_v2(channel=channel, filename="a.md", content="x")
    finally:
        slack.refuse_files("")
    assert (len(slack.files), slack.messages(channel)) == (count, [])
    client.files_upload_v2(channel=channel, filename="a.md", content="x")
    assert len(slack.files) == count + 1


def test_a_policy_of_images_lets_images_pass_and_an_unknown_one_is_a_mistake(
    slack: Slack, client: WebClient, channel: str
) -> None:
    slack.refuse_files("file_uploads_except_images_disabled")
    try:
        client.files_upload_v2(channel=channel, filename="a.png", content=b"x")
    finally:
        slack.refuse_files("")
    assert slack.files[-1].name == "a.png"
    with pytest.raises(ValueError, match="no_files"):
        slack.refuse_files("no_files")


def test_a_deleted_file_is_gone_with_the_message_that_shared_it_alone(
    slack: Slack, client: WebClient, channel: str
) -> None:
    uploads = [{"filename": f"{index}.txt", "content": "x"} for index in range(2)]
    both = client.files_upload_v2(channel=channel, file_uploads=uploads)["files"]
    client.files_delete(file=both[0]["id"])
    (message,) = slack.messages(channel)
    assert [file.name for file in message.files] == ["1.txt"]
    client.files_delete(file=both[1]["id"])
    assert slack.messages(channel) == []
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_delete(file=both[1]["id"])


def test_a_files_bytes_are_given_with_token_and_scope_else_the_page_to_sign_in(
    slack: Slack, client: WebClient, channel: str, alice: str
) -> None:
    slack.share(alice, channel, "p99 up.png", b"bytes")
    file_id = slack.files[-1].id
    with pytest.raises(SlackApiError, match="missing_scope"):
        client.files_info(file=file_id)
    slack.scopes = {*slack.scopes, "files:read"}
    described = client.files_info(file=file_id)["file"]
    assert (described["mimetype"], described["size"], described["user"]) == ("image/png", 5, alice)
    url = described["url_private_download"]
    token = {"Authorization": f"Bearer {slack.bot_token}"}
    given = httpx.get(url, headers=token, trust_env=False)
    assert (given.status_code, given.content, given.headers["content-type"]) == (200, b"bytes", "image/png")
    assert httpx.get(url, trust_env=False).status_code == 302
    slack.fail_next("download")
    assert httpx.get(url, headers=token, trust_env=False).headers["retry-after"] == "1"
    slack.scopes = slack.scopes - {"files:read"}
    assert httpx.get(url, headers=token, trust_env=False).status_code == 302
    with pytest.raises(SlackApiError, match="missing_scope"):
        client.files_info(file="F404")
