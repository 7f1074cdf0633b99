"""Who may come in, and what was done: accounts, logins, the audit chain."""
