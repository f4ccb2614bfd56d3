import os

import beside
from django.http import JsonResponse
from django.urls import path


def index(request):
    return JsonResponse({"cwd": os.getcwd(), "secure": request.is_secure(), "beside": beside.NAME, "path": request.path})


urlpatterns = [path("", index), path("deep/<slug:name>/", lambda request, name: index(request))]
