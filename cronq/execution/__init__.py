"""A shell command as one object, and the log it writes."""
