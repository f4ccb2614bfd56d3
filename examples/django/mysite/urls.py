"""Which view answers which path."""

from django.urls import path
from guestbook import views

urlpatterns = [
    path("", views.index, name="index"),
    path("upload", views.upload, name="upload"),
    path("countdown", views.countdown, name="countdown"),
    path("worker", views.worker, name="worker"),
    path("fail", views.fail, name="fail"),
]
