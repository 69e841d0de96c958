"""The store: tables, migrations and queries, one module a noun. It imports nothing from `bot`."""
