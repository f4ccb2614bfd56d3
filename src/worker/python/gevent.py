"""A gevent worker: the hub watches the server's descriptor, each request has a greenlet.

What may switch greenlets is done here and not in Rust, below which no frame may lie then.
"""

import gc
import io
import sys

FULL, NOBODY = 1, 2


def patch():
    """Has the standard library wait in greenlets."""
    from gevent import monkey

    monkey.patch_all()


def serve(reactor, application, interrupted, sendfile, limits):
    """Runs the worker to its end."""
    import gevent

    # In a fork the hub of the parent is of no use.
    gevent.reinit()
    server = Server(gevent.get_hub(), reactor, (application, sendfile), interrupted, limits)
    while not server.is_over:
        try:
            server.run()
        except interrupted:
            return  # at once: whoever interrupts does not wait
        except (SystemExit, KeyboardInterrupt):
            reactor.leave_on_own_account()


def stacks():
    """Where the greenlets wait, those of requests with what they are about; the most recent call first."""
    from greenlet import getcurrent, greenlet

    here = getcurrent()
    found = [
        thing
        for thing in gc.get_objects()
        if isinstance(thing, greenlet) and thing is not here and thing.gr_frame is not None
    ]
    found.sort(key=lambda green: not hasattr(green, "rcorn_request"))
    return "".join(map(stack, found))


def stack(green):
    request = getattr(green, "rcorn_request", None)
    about = f" ({request})" if request else ""
    lines = [f"Greenlet {getattr(green, 'name', None) or type(green).__name__}{about} (most recent call first):"]
    frame = green.gr_frame
    while frame is not None:
        lines.append(f'  File "{frame.f_code.co_filename}", line {frame.f_lineno} in {frame.f_code.co_name}')
        frame = frame.f_back
    return "\n".join([*lines, ""])


class Server:
    """The main greenlet: turns the server, and starts and wakes the others."""

    def __init__(self, hub, reactor, served, interrupted, limits):
        from gevent.greenlet import Greenlet

        self.hub = hub
        self.reactor = reactor
        self.served = served
        self.interrupted = interrupted
        self.slow, self.longest = limits
        self.start = Greenlet.spawn
        self.watcher = hub.loop.io(reactor.begin(), 1)
        self.calls = {}
        self.is_over = False

    def run(self):
        while True:
            arrived, stirred, seconds, goes_on = self.reactor.turn()
            for job, environ in arrived:
                # On record from now on: the client may leave before the greenlet runs.
                call = self.calls[job.key] = Call(job)
                self.start(self.answer, call, environ).rcorn_request = f"{environ['REQUEST_METHOD']} {environ['RAW_URI']}"
            for key, is_gone in stirred:
                if key in self.calls:
                    self.calls[key].stir(is_gone)
            if not goes_on:
                self.is_over = True
                return
            self.pause(seconds)

    def pause(self, seconds):
        """Until the descriptor is readable, or the time is over."""
        from gevent._waiter import Waiter

        waiter = Waiter(self.hub)
        timer = None if seconds is None else self.hub.loop.timer(seconds)
        self.watcher.start(waiter.switch, None)
        if timer is not None:
            timer.start(waiter.switch, None)
        try:
            waiter.get()
        finally:
            self.watcher.stop()
            if timer is not None:
                timer.close()

    def answer(self, call, environ):
        """What the greenlet of a request runs."""
        job = call.job
        timers = list(self.timers(call)) if self.slow or self.longest else ()
        try:
            call.run(*self.served, environ)
        except self.interrupted:
            raise
        except BaseException as error:
            if not call.is_overdue:
                job.fail(error)
        finally:
            for timer in timers:
                timer.close()
            if self.calls.get(job.key) is call:
                del self.calls[job.key]
            job.end()


    def timers(self, call):
        """For a request that may not take as long as it likes; they fire in the hub, while its greenlet waits."""
        from greenlet import getcurrent

        for seconds, act in ((self.slow, call.tell_slow), (self.longest, call.end_overdue)):
            if seconds:
                timer = self.hub.loop.timer(seconds)
                timer.start(act, getcurrent())
                yield timer


class Call:
    """One call of the application."""

    def __init__(self, job):
        self.job = job
        self.stirred = None
        self.is_overdue = False
        self.is_gone = False

    def tell_slow(self, green):
        self.job.tell_slow(stack(green))

    def end_overdue(self, green):
        self.is_overdue = True
        self.job.end_overdue(stack(green))
        green.kill(block=False)

    def run(self, application, sendfile, environ):
        body = environ["wsgi.input"]
        if isinstance(body, io.BufferedReader) and isinstance(body.raw, Arriving):
            body.raw.call = self
        environ["wsgi.early_hints"] = self.job.hint
        result = application(environ, self.start_response)
        try:
            if self.send_all(result, sendfile):
                self.job.finish()
        finally:
            if hasattr(result, "close"):
                result.close()

    def start_response(self, status, headers, exc_info=None, /):
        try:
            self.job.start(status, headers, exc_info)
        finally:
            exc_info = None
        return self.write

    def write(self, data, /):
        # Whether anybody still listens is no business of an application that pushes.
        self.send(data, False)

    def send_all(self, result, sendfile):
        """Sends the pieces, each before the next one is asked for. False when nobody is there any more."""
        if sendfile and type(result) is sys.modules["_rcorn.wsgi"].FileWrapper:
            sent = self.job.send_file(result.filelike)
            if sent is not None:
                return self.waited(sent)
        # PEP 3333, "Handling the Content-Length Header": one piece alone may be given its length.
        try:
            count = len(result)
        except TypeError:
            count = 0
        known = type(result) in (list, tuple)
        for index, piece in enumerate(result):
            last = index + 1 == count if known else count == 1
            if not self.send(piece, last):
                return False
        return True

    def send(self, piece, last):
        return self.waited(self.job.send(piece, last))

    def waited(self, sent):
        """Waits until the client has taken enough. False when it is gone."""
        while sent == FULL:
            if self.is_gone:
                return False
            self.wait()
            sent = self.job.use_room()
        return sent != NOBODY

    def wait(self):
        """Until something happens to the request."""
        from gevent.event import Event

        self.stirred = Event()
        self.stirred.wait()

    def stir(self, is_gone):
        self.is_gone |= is_gone
        if self.stirred is not None:
            self.stirred.set()


class Arriving(io.RawIOBase):
    """A body that is still arriving, as a raw stream."""

    def __init__(self, job):
        self.job = job
        self.call = None

    def readable(self):
        return True

    def readinto(self, buffer):
        piece = self.job.read(len(buffer))
        while piece is None:
            self.call.wait()
            piece = self.job.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def arriving_input(job):
    """`wsgi.input` of a body that is still arriving."""
    return io.BufferedReader(Arriving(job), 65536)
