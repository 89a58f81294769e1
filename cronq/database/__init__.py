"""What is stored and how it changes: plain functions of a connection, in short transactions."""
