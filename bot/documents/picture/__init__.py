"""The timeline drawn: phases as coloured spans, entries as marks in lanes, on a real axis of time."""

from bot.documents.picture.timeline import WIDTH, draw

__all__ = ["WIDTH", "draw"]
