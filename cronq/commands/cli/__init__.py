"""`cronq`, the command line for people: one module for each command, nearly all over the web's HTTP API."""

from cronq.commands.cli.entry import main

__all__ = ["main"]
