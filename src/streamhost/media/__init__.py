"""The media workshop: probes sources, copies or encodes them into CMAF, and writes HLS and DASH manifests.

The package itself imports nothing. ``tasks``, ``wire``, ``errors``, ``ladder``, ``compat``, ``timeline``, ``hls``,
``dash`` and ``run`` are light and safe in the server; modules that import PyAV are loaded in a media child only
(``python -m streamhost.media.child``), or by tests through ``execute``.
"""
