"""The width of letters, and the cutting of texts."""

from bot.documents.picture.text_width import cut, has_all, one_line, simple, width


def test_widths_are_those_of_arial() -> None:
    """Arial's advances at 2,048 units an em: A is 1366, i 455, a space 569; bold i 569."""
    assert width("A i", 2048) == 1366 + 569 + 455
    assert width("i", 2048, bold=True) == 569
    assert width("長", 10) == 10
    assert width("\u200b", 10) == 0


def test_a_text_is_cut_to_its_room() -> None:
    text = "restarting all API servers step by step"
    assert cut(text, 1000, 12) == text
    for room in range(5, 200, 5):
        shown = cut(text, room, 12)
        assert width(shown, 12) <= room
        assert shown in {"", text} or shown.endswith("…")
    assert one_line("a\n\tb" + "c" * 999, 5) == "a bcc…"


def test_what_is_one_picture_of_several_signs_is_made_simple() -> None:
    assert simple("👩\u200d👧 🇩🇪 1\ufe0f\u20e3 👍🏽 e\u0301") == "👩👧 DE 1 👍 é"
    assert has_all("Grüße, Привет, שלום …")
    assert not has_all("長")
