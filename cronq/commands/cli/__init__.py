"""`cronq`, the command line for people: one module for each command, all over the HTTP API of the web."""

from cronq.commands.cli.entry import main

__all__ = ["main"]
