"""A file and a few fields in one multipart/form-data body (RFC 7578), passed on while it arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from streamhost.features.uploads import Piece
from streamhost.model.errors import InvalidInput, StreamhostError
from streamhost.server.tus import WrongUploadType

FILE = "file"
FIELD_BYTES = 64 * 1024
"""Longest value of a field: four times the longest description in UTF-8."""
MAX_FIELDS = 32
FORM = b"multipart/form-data"


class MalformedForm(StreamhostError):
    """The form is not well-formed multipart/form-data, or ended too early."""

    code = "malformed_form"
    permanent = True


class UploadForm:
    """One form on its way in. Iterate `file()` to its end; then `words()` has what the fields say."""

    def __init__(
        self, content_type: str, body: AsyncIterator[bytes], check: Callable[[Mapping[str, str]], None]
    ) -> None:
        """`check` is asked when the file begins, so that a wrong field before it is known before the bytes are."""
        kind, options = parse_options_header(content_type)
        if kind != FORM:
            raise WrongUploadType("Send `Content-Type: multipart/form-data`.")
        boundary = options.get(b"boundary")
        if not boundary:
            raise MalformedForm("The content type names no boundary.")
        self._body = body
        self._check = check
        self._fields: dict[str, str] = {}
        self._file_name: str | None = None
        self._in_file = False
        self._ended = False
        self._pieces: list[Piece] = []
        self._reset()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._reset,
                    "on_header_begin": self._begin_header,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_part,
                    "on_part_data": self._part_data,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise MalformedForm(str(error)) from None

    async def file(self) -> AsyncIterator[Piece]:
        """The bytes of the file, without copying them. Goes on to the end of the form, fields behind the file included.

        Raises `MalformedForm`, and `InvalidInput` for wrong fields or where there is no file or more than one."""
        async for data in self._body:
            try:
                self._parser.write(data)
            except FormParserError as error:
                raise MalformedForm(str(error)) from None
            pieces, self._pieces = self._pieces, []
            for piece in pieces:
                yield piece
        if not self._ended:
            raise MalformedForm("It has no end.")
        if self._file_name is None:
            raise InvalidInput(fields={FILE: "A file is needed."})

    def words(self) -> Mapping[str, str]:
        """What the fields say; the file's own name where no field names it."""
        return {"filename": self._file_name or "", **self._fields}

    def _reset(self) -> None:
        self._header: tuple[bytes, bytes] = (b"", b"")
        self._disposition: dict[bytes, bytes] = {}
        self._name = ""
        self._value = b""

    def _begin_header(self) -> None:
        self._header = (b"", b"")

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _end_header(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            _, self._disposition = parse_options_header(self._header[1])

    def _begin_part(self) -> None:
        self._name = _text(self._disposition.get(b"name", b""))
        self._in_file = self._name == FILE
        if not self._in_file:
            if len(self._fields) >= MAX_FIELDS:
                raise InvalidInput(fields={self._name: f"At most {MAX_FIELDS} fields."})
            return
        if self._file_name is not None:
            raise InvalidInput(fields={FILE: "One file at a time."})
        self._file_name = _text(self._disposition.get(b"filename", b""))
        self._check(self._fields)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._pieces.append(memoryview(data)[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > FIELD_BYTES:
            raise InvalidInput(fields={self._name: f"At most {FIELD_BYTES} bytes."})

    def _end_part(self) -> None:
        if not self._in_file:
            self._fields[self._name] = self._value.decode("utf-8", "replace")

    def _end(self) -> None:
        self._ended = True


def _text(raw: bytes) -> str:
    """A name out of a header; browsers write UTF-8, and percent signs for what would break the quotes."""
    text = raw.decode("utf-8", "replace")
    for code, sign in (("%22", '"'), ("%0D", " "), ("%0A", " ")):
        text = text.replace(code, sign)
    return text
