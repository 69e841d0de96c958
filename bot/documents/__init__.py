"""Documents: values go in, text for one surface comes out, escaped once."""
