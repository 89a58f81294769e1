"""The revisions, each safe to be killed at any point and run again."""
