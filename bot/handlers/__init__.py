"""Handlers: each runs one command on domain and storage in a transaction, without knowing Slack."""
