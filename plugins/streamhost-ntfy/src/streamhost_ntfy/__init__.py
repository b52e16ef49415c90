"""Notices of streamhost as push messages, by ntfy."""

from streamhost_ntfy.notifier import NtfyNotifier

__all__ = ["NtfyNotifier"]
