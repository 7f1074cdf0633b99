"""Cases exchanged with the city's existing platform: told through an outbox, its changes taken, both lists compared."""
