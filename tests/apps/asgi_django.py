"""Django over ASGI, in one file."""

import asyncio

import django
from asgi_plain import note
from django.conf import settings

settings.configure(
    DEBUG=False,
    SECRET_KEY="for tests only",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    FILE_UPLOAD_MAX_MEMORY_SIZE=1024,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


async def hello(request):
    return HttpResponse(f"hello from {request.META['REMOTE_ADDR']} {request.scheme} {request.get_host()}")


def in_a_thread(request):
    return HttpResponse(f"sync {request.GET.get('name')}")


async def upload(request):
    file = request.FILES["file"]
    return JsonResponse({"name": file.name, "size": file.size, "kind": type(file).__name__})


async def stream(request):
    async def pieces():
        for index in range(5):
            yield f"piece {index}\n"
            await asyncio.sleep(0.001)

    return StreamingHttpResponse(pieces())


async def file(request):
    return FileResponse(open(__file__, "rb"))


async def wait(request):
    note("entered")
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        note("cancelled")
        raise


urlpatterns = [
    path("", hello),
    path("sync", in_a_thread),
    path("upload", upload),
    path("stream", stream),
    path("file", file),
    path("wait", wait),
]
application = get_asgi_application()
