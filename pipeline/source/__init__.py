"""From a camera's address to its newest packets, and from those to pictures and clips."""
