"""What several tests share: a real server process, a client for its API."""
