"""The benchmark measures, judges and shows."""
