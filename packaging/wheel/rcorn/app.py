"""Where Gunicorn has its classes for programs that embed it. Whoever looks for them here is told what to do instead."""

raise ImportError(
    "rcorn has no BaseApplication to subclass: what supervises the workers is no Python program. Start it as one instead: "
    "python -m rcorn [FLAGS] MODULE:CALLABLE, or os.execv(sys.executable, [sys.executable, '-m', 'rcorn', ...]) from a "
    "program of your own; options become flags, or stand in a settings file (docs/migrating-from-gunicorn.md)"
)
