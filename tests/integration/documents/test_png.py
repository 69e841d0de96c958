"""The picture as PNG, also where the machine has no font at all."""

import os
import struct
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from zlib import decompress

from bot.documents.picture.png import ZOOM, png, svg_to_png
from tests.support.timelines import HOSTILE, draw, synthetic, told

SIGNATURE = b"\x89PNG\r\n\x1a\n"
FONTLESS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>"""
DRAWS = "import sys; from bot.documents.picture.png import png; sys.stdout.buffer.write(png(sys.stdin.read()))"


def chunks(content: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG by type, those of one type joined."""
    assert content.startswith(SIGNATURE)
    found: dict[bytes, bytes] = {}
    place = len(SIGNATURE)
    while place < len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        found[kind] = found.get(kind, b"") + content[place + 8 : place + 8 + length]
        place += 12 + length
    return found


def size(content: bytes) -> tuple[int, int]:
    wide, high = struct.unpack(">II", chunks(content)[b"IHDR"][:8])
    return wide, high


def test_it_is_a_whole_png_of_twice_the_pixels() -> None:
    content = png(draw(synthetic(30, timedelta(hours=3))))
    wide, high = size(content)
    assert wide == 900 * ZOOM
    assert len(decompress(chunks(content)[b"IDAT"])) >= wide * high
    assert b"IEND" in chunks(content)


def test_a_child_process_makes_the_same_png() -> None:
    svg = draw(told(("detected", 0, "disk full"), ("resolved", 9, "Grüße")))
    assert svg_to_png(svg) == png(svg)


def test_hostile_words_are_drawn_too() -> None:
    assert size(png(draw(told(*(("did", 3.0 * place, text) for place, text in enumerate(HOSTILE))))))[0] == 1800


def test_a_machine_without_fonts_draws_the_same(tmp_path: Path) -> None:
    (tmp_path / "fonts.conf").write_text(FONTLESS)
    svg = draw(told(("detected", 0, "disk full"), ("did", 3, "Grüße, Привет"), ("resolved", 9, "freed")))
    bare = os.environ | {"FONTCONFIG_FILE": str(tmp_path / "fonts.conf"), "HOME": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", DRAWS], input=svg.encode(), capture_output=True, env=bare, check=True)  # noqa: S603 - our own
    assert run.stdout == png(svg)
    assert run.stdout != png(svg.replace("disk full", "         "))


def test_a_picture_that_is_sent_again_is_not_converted_again() -> None:
    svg = draw(told(("detected", 0, "disk full"), ("resolved", 5, "once")))
    before = svg_to_png.cache_info()
    assert svg_to_png(svg) is svg_to_png(svg)
    after = svg_to_png.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 1)
