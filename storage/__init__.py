"""What Scribe remembers: tables, the queries over them, and the frozen values they hand out."""
