"""The review meeting: when it takes place and who is invited."""
