"""The application that a file of PasteDeploy describes."""

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
    uri = f"config:{file}" + (f"#{section}" if section else "")
    return loadapp(uri, relative_to=os.getcwd(), global_conf=dict(defaults))
