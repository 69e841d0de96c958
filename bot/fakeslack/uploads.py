"""Files on their way in: a place is asked for, bytes are put there, and the upload is completed."""

from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from secrets import token_urlsafe

from bot.fakeslack.arguments import ApiError


@dataclass(slots=True, kw_only=True)
class Upload:
    """An upload begun: `length` in bytes was announced; `content` is None until the bytes came."""

    file_id: str
    name: str
    length: int
    content: bytes | None = None


class Uploads:
    """The uploads under way. Not to be used without the workspace's lock."""

    def __init__(self) -> None:
        self._by_ticket: dict[str, Upload] = {}
        self._by_id: dict[str, Upload] = {}

    def begin(self, *, file_id: str, name: str, length: int) -> str:
        """A ticket for the upload's URL."""
        ticket = token_urlsafe(12)
        self._by_ticket[ticket] = self._by_id[file_id] = Upload(file_id=file_id, name=name, length=length)
        return ticket

    def receive(self, ticket: str, body: bytes, content_type: str) -> tuple[int, str]:
        """What the upload's URL answers: a status, and a line of text."""
        upload = self._by_ticket.get(ticket)
        if upload is None:
            return 404, "not found"
        content = multipart_file(body, content_type) if content_type.startswith("multipart/") else body
        if len(content) != upload.length:
            return 400, f"{upload.length} bytes were announced, {len(content)} came"
        upload.content = content
        return 200, f"OK - {len(content)}"

    def complete(self, file_id: str) -> tuple[str, bytes]:
        """The name and bytes of an upload, which ends with this. Raises Refused (file_not_found)."""
        upload = self._by_id.pop(file_id, None)
        if upload is None or upload.content is None:
            raise ApiError("file_not_found")
        return upload.name, upload.content


def multipart_file(body: bytes, content_type: str) -> bytes:
    """The bytes of the first part of a multipart body that has a file name, else of its first part."""
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parts = list(message.iter_parts())
    chosen = next((part for part in parts if part.get_filename()), parts[0] if parts else message)
    content = chosen.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
