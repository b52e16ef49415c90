"""One edge for each file of tests."""

from edge_rig import edge

__all__ = ["edge"]
