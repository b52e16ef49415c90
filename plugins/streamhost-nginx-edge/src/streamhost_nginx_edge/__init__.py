"""A caching edge of one's own for streamhost: `hooks` is the plugin, `edge` what runs on the edge's machine."""
