"""Is a callable a WSGI or an ASGI application?"""

import functools
import inspect


def interface(application):
    """`wsgi`; `asgi`, called with scope, receive and send; `awaited`, the same as a class, whose objects are awaited;
    or `asgi2`, called with a scope, which gives a callable."""
    application = unwrapped(application)
    if inspect.iscoroutinefunction(application):
        return "asgi"
    if inspect.isclass(application):
        # An object that is awaited is made of scope, receive and send, such as Starlette's HTTPEndpoint.
        if "__await__" in vars_of(application):
            return "awaited"
        # Called with a scope, a class of ASGI 2 makes an object that is called with receive and send. A class of WSGI
        # makes an object that is the result.
        call = vars_of(application).get("__call__")
        return "asgi2" if inspect.iscoroutinefunction(unwrapped(call)) else "wsgi"
    if not inspect.isroutine(application):
        call = unwrapped(getattr(application, "__call__", None))
        if inspect.iscoroutinefunction(call):
            return "asgi"
        application = call
    return by_names(application)


def unwrapped(application):
    """What partial objects and decorators that say so stand for."""
    while True:
        if isinstance(application, functools.partial):
            application = application.func
        elif hasattr(application, "__wrapped__") and not inspect.isclass(application):
            application = application.__wrapped__
        else:
            return application


def vars_of(cls):
    """Attributes of a class, and of those it is derived from, but for `type`'s and `object`'s."""
    found = {}
    for base in reversed(cls.__mro__[:-1]):
        found.update(vars(base))
    return found


def by_names(call):
    """A plain function that gives a coroutine, or a callable: only the names of its parameters can tell."""
    try:
        names = list(inspect.signature(call).parameters)
    except (TypeError, ValueError):
        return "wsgi"
    if names[:3] == ["scope", "receive", "send"]:
        return "asgi"
    return "asgi2" if names == ["scope"] else "wsgi"
