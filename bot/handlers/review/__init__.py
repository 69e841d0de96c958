"""The review meeting: its plan and its invitations."""
