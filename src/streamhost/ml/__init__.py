"""The workshop for models: which there are, where they come from, and a child process in which they run.

Only `child` and what it imports load ONNX Runtime; the server itself never does.
"""
