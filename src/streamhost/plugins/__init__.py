"""Plugins: found by their entry points, checked at the start, called so that none can take the server down."""

from streamhost.plugins.calling import PluginFailed
from streamhost.plugins.finding import Found, Plugin, PluginBroken, find
from streamhost.plugins.gates import Gates
from streamhost.plugins.hosts import HostNotReady, NotYours
from streamhost.plugins.house import Plugins
from streamhost.plugins.registering import Registered
from streamhost.plugins.shapes import Shapes

__all__ = [
    "Found",
    "Gates",
    "HostNotReady",
    "NotYours",
    "Plugin",
    "PluginBroken",
    "PluginFailed",
    "Plugins",
    "Registered",
    "Shapes",
    "find",
]
