"""What Scribe sends to Slack: blocks, forms, and the jobs of the outbox."""
