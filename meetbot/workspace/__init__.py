"""Google Workspace: the only importer of Google's libraries. Raises only `meetbot.errors`."""

from meetbot.workspace.api import GRANTS, Api, Grant
from meetbot.workspace.quota import GOOGLE_LIMITS, PerMinute
from meetbot.workspace.workspace import Workspace

__all__ = ["GOOGLE_LIMITS", "GRANTS", "Api", "Grant", "PerMinute", "Workspace"]
