"""Draws the timeline: phases as coloured spans and entries as marks in lanes, on an axis of time."""
