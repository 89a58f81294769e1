"""Requests, responses and the routes between them, on plain values; nothing here knows of jobs."""
