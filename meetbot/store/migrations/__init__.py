"""Schema changes, one file each, oldest first; `meetbot.store.migrate` runs them."""
