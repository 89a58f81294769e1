"""The read side of the database, for those who look on: plain functions that give frozen values."""
