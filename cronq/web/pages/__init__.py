"""Addresses for people: pages that are rendered here, and work without a script."""
