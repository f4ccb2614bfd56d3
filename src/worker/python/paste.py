"""The application that a file of PasteDeploy describes, and the logging that the same file may describe."""

import configparser
import logging.config
import os
import sys


class NotInstalled(Exception):
    """PasteDeploy is not there."""


def load(file, section, defaults):
    """The application of that section, "main" where none is named."""
    try:
        from paste.deploy import loadapp
    except ImportError:
        raise NotInstalled(
            f"the setting paste needs PasteDeploy, which is not installed for {sys.executable}: pip install PasteDeploy"
        ) from None
    set_up_logging(file)
    uri = f"config:{file}" + (f"#{section}" if section else "")
    return loadapp(uri, relative_to=os.getcwd(), global_conf=dict(defaults))


def set_up_logging(file):
    """As Gunicorn does with a file that has such a section."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(file)
    if parser.has_section("loggers"):
        known = {"__file__": file, "here": os.path.dirname(file)}
        logging.config.fileConfig(file, defaults=known, disable_existing_loggers=False)
