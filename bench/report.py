"""Writes what was measured into docs/performance.md, with plots."""


def main() -> None: ...
