"""One view each of Flask, Django and FastAPI, as small as people write them. Imported by name, so each loads alone."""

import io


def __getattr__(name):
    try:
        return MAKERS[name]()
    except KeyError:
        raise AttributeError(name) from None


def make_flask():
    from flask import Flask, jsonify

    app = Flask("bench")

    @app.get("/")
    def hello():
        return jsonify(message="Hello, world!", numbers=[1, 2, 3])

    return app


def make_django():
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.template import engines
    from django.urls import path

    import hello

    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=tuple(),
        SECRET_KEY="bench",
        INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.messages"],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.security.SecurityMiddleware"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    )
    django.setup()
    text = "<ul>{% for row in rows %}<li>{{ row.name }}: {{ row.price|floatformat:2 }}</li>{% endfor %}</ul>"
    rows = [{"name": f"item {number}", "price": number * 1.5} for number in range(20)]

    def index(request):
        return HttpResponse(engines["django"].from_string(text).render({"rows": rows}, request))

    def collect(request):
        return HttpResponse(b"".join(hello.collect({}, lambda *_: None)))

    settings.ROOT_URLCONF = (path("", index), path("collect", collect))
    return get_wsgi_application()


def make_fastapi():
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    async def hello():
        return {"message": "Hello, world!", "numbers": [1, 2, 3]}

    return app


def warm_up(application):
    """As the first requests do, without a server."""
    for _ in range(3):
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "bench",
            "SERVER_PORT": "80",
            "wsgi.input": io.BytesIO(),
            "wsgi.url_scheme": "http",
        }
        response = application(environ, lambda status, headers, exc_info=None: None)
        b"".join(response)
        response.close()


MAKERS = {"flask": make_flask, "django": make_django, "fastapi": make_fastapi}
