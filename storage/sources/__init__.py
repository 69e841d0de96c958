"""What sources outside of Slack have told: alerts and changes."""
