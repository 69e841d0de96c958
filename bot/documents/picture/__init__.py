"""The timeline drawn: phases as coloured spans, entries as marks in lanes, on a real axis of time."""
