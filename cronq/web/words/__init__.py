"""Times, states and what became of things, in the words that people read."""
