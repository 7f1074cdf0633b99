"""Dispatchers: an event becomes a case (or joins one), is routed, timed, verified by a second look, closed."""
