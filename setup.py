"""The packages of the distribution; all else about it is in setup.cfg."""

from setuptools import find_packages, setup

# Twisted's folder for plugins is not found but named: it has no __init__.py, and must never have one.
setup(packages=[*find_packages(include=["cronq", "cronq.*"]), "twisted.plugins"])
