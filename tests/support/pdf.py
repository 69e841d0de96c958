"""The words of a page of a PDF as Chromium prints it, without a library: glyphs by the maps that it embeds."""

import re
import unicodedata
import zlib
from itertools import pairwise

_OBJECT = re.compile(rb"(\d+) 0 obj(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_FONT = re.compile(rb"/(F\d+) (\d+) 0 R")
_SHOWN = re.compile(rb"/(F\d+) [\d.-]+ Tf|<([0-9A-Fa-f]+)>")
_CHAR = re.compile(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_RANGE = re.compile(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")


def words_of_page(pdf: bytes, number: int) -> str:
    """The text of page `number` (from 1), without any space: how Chromium places words has none."""
    objects = {int(match[1]): match[2] for match in _OBJECT.finditer(pdf)}
    pages = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b", body)]
    page = pages[number - 1]
    fonts = {name: _letters(objects, int(at)) for name, at in _FONT.findall(page)}
    found, current = [], dict[int, str]()
    content = _inflated(objects[int(_reference(page, b"Contents"))])
    for font, glyphs in _SHOWN.findall(content):
        if font:
            current = fonts.get(font, {})
        else:
            codes = [int(glyphs[at:end], 16) for at, end in pairwise(range(0, len(glyphs) + 1, 4))]
            found.append("".join(current.get(code, "") for code in codes))
    return without_spaces("".join(found))


def without_spaces(text: str) -> str:
    """The text as this module gives it: ligatures as letters, no spaces."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def _reference(body: bytes, key: bytes) -> bytes:
    match = re.search(rb"/" + key + rb"\s*\[?\s*(\d+) 0 R", body)
    return match[1] if match else b"0"


def _inflated(body: bytes) -> bytes:
    match = _STREAM.search(body)
    raw = match[1] if match else b""
    return zlib.decompress(raw) if b"/FlateDecode" in body else raw


def _letters(objects: dict[int, bytes], font: int) -> dict[int, str]:
    """The letters by glyph."""
    mapping = objects.get(int(_reference(objects[font], b"ToUnicode")), b"")
    text = _inflated(mapping).decode("latin-1")
    letters: dict[int, str] = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", text, re.DOTALL):
        letters |= {int(code, 16): _text(letter) for code, letter in _CHAR.findall(block)}
    for block in re.findall(r"beginbfrange(.*?)endbfrange", text, re.DOTALL):
        for first, last, letter in _RANGE.findall(block):
            start, end = int(first, 16), int(last, 16)
            letters |= {code: chr(ord(_text(letter)) + code - start) for code in range(start, end + 1)}
    return letters


def _text(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-16-be")
