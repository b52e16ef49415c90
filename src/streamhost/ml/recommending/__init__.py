"""The workshop for recommendation models: learns which videos go together from who watched what, and measures that.

`train_child` and `serve_child` are processes of their own; only they and what they import load numpy and ONNX Runtime.
"""
