"""Schema changes, one file each, oldest first; `meetbot.store.upgrade` runs them."""

HEAD = "0002"
"""The newest one."""
