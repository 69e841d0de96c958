"""What comes from elsewhere than the commands: alerts and changes, files of messages, conversations read afterwards."""
