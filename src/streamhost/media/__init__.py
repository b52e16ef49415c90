"""The media workshop: probes sources, copies or encodes them into CMAF, and writes HLS and DASH manifests.

The package itself imports nothing heavy. ``tasks``, ``timeline``, ``ladder``, ``planning``, ``compat``, ``hls`` and ``dash`` are safe in
the server; every module that imports PyAV runs in a child process only (``streamhost.media.child``).
"""
