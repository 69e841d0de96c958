"""Documents: turns values into text, pictures and files for one surface, each value escaped once."""
