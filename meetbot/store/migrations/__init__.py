"""Schema changes, one file each, oldest first; `meetbot.store.upgrade` runs them."""

HEAD = "0012"
"""The newest one."""
