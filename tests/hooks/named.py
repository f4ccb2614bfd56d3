"""A hook that a settings file names by its dotted path."""


def ready(server):
    open("named", "w").close()
