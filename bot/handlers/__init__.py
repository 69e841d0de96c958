"""One file a noun: what a command does, in domain and storage, knowing nothing of Slack."""
