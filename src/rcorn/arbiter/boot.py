# What a zygote runs first, and the helper that evaluates settings in Python. Any Python from 2.7 on must be able to read this, if only to say that it is too old.
import os, sys, sysconfig

# Standard error is a scratch file so far. What it holds is passed on, then the real one takes its place.
os.lseek(2, 0, os.SEEK_SET)
os.write(8, os.read(2, 65536))
os.ftruncate(2, 0)
os.dup2(8, 2)
os.close(8)

def refuse(problem, traceback=""):
    import json
    version = ".".join(str(part) for part in sys.version_info[:3])
    summary = "%s (Python %s) %s" % (sys.executable, version, problem)
    failure = {"code": "Setup", "summary": summary, "traceback": traceback}
    os.write(3, json.dumps({"Failed": failure}).encode("utf-8"))
    sys.exit(1)

if sys.version_info < (3, 11):
    refuse("is too old: rcorn needs Python 3.11 or later, choose another with --python")
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    refuse("is built free-threaded, which rcorn cannot use: choose another with --python")

def load(path):
    from importlib.machinery import ExtensionFileLoader
    from importlib.util import module_from_spec, spec_from_file_location
    spec = spec_from_file_location("_rcorn", path, loader=ExtensionFileLoader("_rcorn", path))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

try:
    extension = load(sys.argv[1])
except ImportError as error:
    refuse("cannot load rcorn's extension module: %s" % error)
sys.exit(getattr(extension, sys.argv[2])())
