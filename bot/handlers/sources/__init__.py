"""What is done with alerts and changes that sources outside of Slack tell."""
