"""One module, many ways to name an application in it."""


def answering(text):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(text.encode())))])
        return [text.encode()]

    return application


class Site:
    class inner:
        app = staticmethod(answering("nested"))


application = answering("default")
other = answering("other")
site = Site()
number = 5
nothing = None


def factory(*args, **kwargs):
    return answering(f"{args} {sorted(kwargs.items())}")


def broken_factory():
    raise ValueError("the factory does not like this")


def factory_of_nothing():
    return None
