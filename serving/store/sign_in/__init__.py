"""Who may sign in: API keys, sessions and staff."""
