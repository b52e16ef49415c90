"""Answers of the API that commands print as well: made without the web framework, so that commands need not load it."""
