"""The event loop of an ASGI worker: how it is made, how the application starts and ends in it."""

import asyncio
import os
import stat
import traceback


class NotStarted(Exception):
    """The application cannot serve: a sentence, and what is known beside it."""

    def __init__(self, summary, details=""):
        super().__init__(summary)
        self.summary = summary
        # What is one line is said already.
        self.details = details.rstrip() + "\n" if "\n" in details.strip() else ""


def serve(reactor, application, interrupted, kind, mode):
    """Runs the worker to its end."""
    loop = make_loop(kind)
    asyncio.set_event_loop(loop)
    lifespan = Lifespan(application, mode, reactor.say)
    life = loop.create_task(live(reactor, lifespan), name="rcorn")
    while not life.done():
        try:
            loop.run_until_complete(life)
        except interrupted:
            return  # at once: whoever interrupts does not wait
        except (SystemExit, KeyboardInterrupt) as error:
            if lifespan.is_starting:
                raise NotStarted(f"it ended the process: {error!r}", traceback.format_exc()) from None
            reactor.leave_on_own_account()
    life.result()


def coroutine_function(application, interface):
    """An application that is none: one of ASGI 2, which is called with the scope first, or a class that is awaited."""

    async def call(scope, receive, send):
        await application(scope)(receive, send)

    async def awaited(scope, receive, send):
        await application(scope, receive, send)

    return call if interface == "asgi2" else awaited


def make_loop(kind):
    if kind != "asyncio":
        try:
            import uvloop
        except ImportError:
            if kind == "uvloop":
                raise NotStarted("the setting loop is uvloop, which is not installed for this interpreter") from None
        else:
            return uvloop.new_event_loop()
    return asyncio.new_event_loop()


async def live(reactor, lifespan):
    loop = asyncio.get_running_loop()
    await lifespan.start()
    left = loop.create_future()

    def leave(finished):
        if not left.done():
            left.set_result(finished)

    def cancel():
        cancel_tasks({lifespan.task, life})

    life = asyncio.current_task()
    descriptor = reactor.begin(loop, lifespan.state if lifespan.is_supported else None, leave, cancel)
    loop.add_reader(descriptor, reactor.turn)
    loop.call_soon(reactor.turn)
    finished = await left
    loop.remove_reader(descriptor)
    if finished:
        await lifespan.stop()
        await asyncio.gather(*cancel_tasks({life}), return_exceptions=True)
        await loop.shutdown_asyncgens()


def cancel_tasks(but):
    """Cancels all other tasks, and gives them."""
    tasks = [task for task in asyncio.all_tasks() if task not in but]
    for task in tasks:
        task.cancel("the worker ends")
    return tasks


class Lifespan:
    """The application hears that its worker starts and ends (ASGI, "Lifespan Protocol")."""

    def __init__(self, application, mode, say):
        self.application = application
        self.mode = mode
        self.say = say
        self.state = {}
        self.task = None
        self.is_starting = True
        self.is_supported = False
        self.events = asyncio.Queue()
        self.has_heard = False
        self.answer = None

    async def start(self):
        if self.mode != "off":
            self.task = asyncio.create_task(self.run(), name="lifespan")
            await self.ask("lifespan.startup")
            self.check_start()
        self.is_starting = False

    async def ask(self, kind):
        """Tells the application and waits for its answer, or for its end."""
        self.answer = asyncio.get_running_loop().create_future()
        self.events.put_nowait({"type": kind})
        await asyncio.wait({self.answer, self.task}, return_when=asyncio.FIRST_COMPLETED)

    async def run(self):
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        await self.application(scope, self.receive, self.send)

    async def receive(self):
        event = await self.events.get()
        self.has_heard = True
        return event

    async def send(self, event):
        kind = event["type"]
        phase = "startup" if self.is_starting else "shutdown"
        if kind not in (f"lifespan.{phase}.complete", f"lifespan.{phase}.failed"):
            raise RuntimeError(f"an ASGI event was sent that answers nothing: {kind!r}")
        if self.answer.done():
            raise RuntimeError(f"the ASGI event {kind!r} was sent a second time")
        self.answer.set_result(event)

    def check_start(self):
        if self.answer.done():
            event = self.answer.result()
            if event["type"].endswith(".failed"):
                message = event.get("message", "")
                raise NotStarted(last_line(message) or "it sent lifespan.startup.failed", message)
            self.is_supported = True
            self.task.add_done_callback(self.ended_early)
            return
        details, error = "", None if self.task.cancelled() else self.task.exception()
        if error is not None:
            details = "".join(traceback.format_exception(error))
        if self.mode == "on":
            raise NotStarted(last_line(details) or "it returned without lifespan.startup.complete", details)
        if self.has_heard and error is not None:
            self.say("warning", f"the application failed in its lifespan; it serves without one\n{details}")
        else:
            self.say("debug", "the application knows no lifespan")

    def ended_early(self, task):
        if not task.cancelled() and task.exception() is not None:
            details = "".join(traceback.format_exception(task.exception()))
            self.say("error", f"the application failed in its lifespan\n{details}")

    async def stop(self):
        if not self.is_supported or self.task.done():
            return
        await self.ask("lifespan.shutdown")
        if self.answer.done() and self.answer.result()["type"].endswith(".failed"):
            message = self.answer.result().get("message", "")
            self.say("error", f"the application did not end well\n{message}")


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""


def part_of_file(file, offset, count):
    """Descriptor, position and length of a part of a regular file; None where it is none."""
    number = file if isinstance(file, int) else file.fileno()
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        return None
    if offset is None:
        offset = os.lseek(number, 0, os.SEEK_CUR)
    left = max(0, status.st_size - offset)
    return number, offset, left if count is None else min(count, left)


async def send_pieces(send, file, offset, count, more):
    """Sends a part of a file as pieces of the body, each when there is room for it."""
    number = file if isinstance(file, int) else file.fileno()
    while count is None or count > 0:
        length = PIECE if count is None else min(PIECE, count)
        piece = os.read(number, length) if offset is None else os.pread(number, length, offset)
        if not piece:
            break
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        offset = None if offset is None else offset + len(piece)
        count = None if count is None else count - len(piece)
    if not more:
        await send({"type": "http.response.body"})


PIECE = 64 * 1024
