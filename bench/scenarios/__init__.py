"""The scenarios, one a module."""
