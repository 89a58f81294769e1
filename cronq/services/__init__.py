"""The duties of the daemons: one loop each."""
