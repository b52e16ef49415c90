"""streamhost: a self-hosted video platform in one process tree."""

__version__ = "0.1.0"
