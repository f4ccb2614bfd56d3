"""The application server rcorn. It is a program: `rcorn` or `python -m rcorn`; there is nothing here to call."""

from importlib.metadata import version

__version__ = version("rcorn")
