"""The programs: options, settings and how each daemon is put together."""
