"""The index of words, and the search in it."""
