"""Intake of models from elsewhere: looked at, then tried in a process of its own, before they may run."""
