"""Django with a consumer of Channels: HTTP and websockets in one ASGI application."""

import django
from django.conf import settings

settings.configure(
    DEBUG=False,
    SECRET_KEY="for tests only",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


class Room(AsyncJsonWebsocketConsumer):
    """What one says, all in the room hear."""

    async def connect(self):
        self.room = self.scope["url_route"]["kwargs"]["name"]
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.room, self.channel_name)
        await self.channel_layer.group_send(self.room, {"type": "say", "text": f"left with {code}"})

    async def receive_json(self, content):
        await self.channel_layer.group_send(self.room, {"type": "say", "text": content["text"]})

    async def say(self, event):
        await self.send_json({"text": event["text"]})


urlpatterns = [path("", lambda request: HttpResponse("hello from Django"))]
application = ProtocolTypeRouter(
    {"http": get_asgi_application(), "websocket": URLRouter([path("rooms/<name>", Room.as_asgi())])}
)
