"""A guest book kept in the visitor's session, an upload, a stream."""

import hashlib
import os
import time

from django.contrib import messages
from django.http import JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from .forms import SignForm, UploadForm


def index(request):
    form = SignForm(request.POST or None)
    if form.is_valid():
        name = form.cleaned_data["name"]
        request.session["entries"] = [*request.session.get("entries", []), name][-10:]
        messages.success(request, f"Thank you, {name}!")
        return redirect("index")
    visits = request.session["visits"] = request.session.get("visits", 0) + 1
    context = {"form": form, "upload": UploadForm(), "visits": visits, "entries": request.session.get("entries", [])}
    return render(request, "guestbook/index.html", context)


@require_POST
def upload(request):
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return JsonResponse(form.errors, status=400)
    file = form.cleaned_data["file"]
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return JsonResponse({"name": file.name, "size": file.size, "sha256": digest.hexdigest()})


def countdown(request):
    """One line every half second: the client sees each as it is made."""
    seconds = float(request.GET.get("pause", 0.5))

    def lines():
        for number in range(5, 0, -1):
            yield f"{number}\n"
            time.sleep(seconds)
        yield "lift-off\n"

    return StreamingHttpResponse(lines(), content_type="text/plain")


def worker(request):
    return JsonResponse({"worker": os.getpid()})


def fail(request):
    raise RuntimeError("this page always fails")
