"""The migrations. A published one is never changed; a new one follows it."""
