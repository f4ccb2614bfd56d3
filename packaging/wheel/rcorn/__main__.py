"""`python -m rcorn`: becomes the program, with this interpreter for the application unless --python says another."""

import os
import sys
from importlib.metadata import distribution


def program():
    """Where pip has put it."""
    for file in distribution("rcorn").files or ():
        if file.parts[-2:] == ("bin", "rcorn"):
            return os.path.realpath(file.locate())
    sys.exit("rcorn: pip's record of the installation is damaged: pip install --force-reinstall rcorn")


if __name__ == "__main__":
    path = program()
    extension = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_rcorn.abi3.so")
    os.execv(path, [path, "--python", sys.executable, "--extension", extension, *sys.argv[1:]])
