"""Addresses for programs: JSON in the shapes of the contract."""
