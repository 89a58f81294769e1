"""What is true whatever the machinery: pure functions and frozen values."""
