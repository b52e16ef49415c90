"""Answers that are kept for a while: in this process, and where it is worth it in a store that outlives it."""
