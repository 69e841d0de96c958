"""The kinds of sources of alerts and changes outside of Slack: a pure parser for each, from its payload to signals."""
