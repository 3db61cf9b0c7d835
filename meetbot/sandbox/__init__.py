"""A simulated Google Workspace over loopback HTTP, for the demo, the tests and trying a policy."""

from meetbot.sandbox.scenario import ScenarioError, load_scenario, write_scenario
from meetbot.sandbox.server import Sandbox
from meetbot.sandbox.world import World

__all__ = ["Sandbox", "ScenarioError", "World", "load_scenario", "write_scenario"]
