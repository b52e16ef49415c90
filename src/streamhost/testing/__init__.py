"""The public test kit, for plugin authors and for the house itself: contract suites, generated clips."""
