"""Who wants to know of which events, and telling them: at least once, in order, provably."""
