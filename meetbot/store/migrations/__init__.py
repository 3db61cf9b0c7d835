"""Schema changes, one file each, oldest first; `meetbot.store.upgrade` runs them."""

HEAD = "0005"
"""The newest one."""
