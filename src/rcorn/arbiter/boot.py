# What a zygote runs first. Any Python from 2.7 on must be able to read this, if only to say that it is too old.
import os, sys, sysconfig

def refuse(need):
    import json
    version = ".".join(str(part) for part in sys.version_info[:3])
    summary = "%s is Python %s; rcorn needs %s: choose another with --python" % (sys.executable, version, need)
    failure = {"code": "Setup", "summary": summary, "traceback": ""}
    os.write(3, json.dumps({"Failed": failure}).encode("utf-8"))
    sys.exit(1)

if sys.version_info < (3, 11):
    refuse("Python 3.11 or later")
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    refuse("a Python that is not built free-threaded")

def load(path):
    from importlib.machinery import ExtensionFileLoader
    from importlib.util import module_from_spec, spec_from_file_location
    spec = spec_from_file_location("_rcorn", path, loader=ExtensionFileLoader("_rcorn", path))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

sys.exit(load(sys.argv[1]).zygote())
