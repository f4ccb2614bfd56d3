"""A gevent worker: the hub watches the server's descriptor, each request has a greenlet.

What may switch greenlets is done here and not in Rust, below which no frame may lie then. Who imports this wants gevent.
"""

import gc

import gevent
from gevent import monkey
from gevent.event import Event
from gevent.hub import Waiter
from greenlet import getcurrent, greenlet

FULL, NOBODY = 1, 2


def patch():
    """Has the standard library wait in greenlets."""
    monkey.patch_all()


def serve(reactor, application, interrupted, wsgi, sendfile, limits, deliver):
    """Runs the worker to its end. `limits` are `slow_request` and `request_timeout`, in milliseconds."""
    # In a fork the hub of the parent is of no use.
    gevent.reinit()
    server = Server(gevent.get_hub(), reactor, Site(application, wsgi, sendfile), interrupted, limits, deliver)
    while not server.is_over:
        try:
            server.run()
        except interrupted:
            return  # at once: whoever interrupts does not wait
        except (SystemExit, KeyboardInterrupt):
            reactor.leave_on_own_account()


def stacks():
    """Where the greenlets wait, those of requests with what they are about; the most recent call first."""
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


class Site:
    """What is the same for all requests."""

    def __init__(self, application, wsgi, sendfile):
        self.application = application
        self.arriving_input = wsgi.arriving_input
        self.sent_by_the_kernel = wsgi.FileWrapper if sendfile else None


class Server:
    """The main greenlet: turns the server, and starts and wakes the others."""

    def __init__(self, hub, reactor, site, interrupted, limits, deliver):
        self.hub = hub
        self.reactor = reactor
        self.site = site
        self.interrupted = interrupted
        self.slow, self.longest = limits
        self.watcher = hub.loop.io(reactor.begin(), 1)
        self.deliver = deliver
        self.calls = {}
        self.is_over = False

    def run(self):
        while True:
            arrived, stirred, milliseconds, goes_on = self.reactor.turn()
            for job, environ, passage in arrived:
                # On record from now on: something may happen to it before its greenlet runs.
                call = self.calls[job.key] = Call(job)
                green = gevent.spawn(self.answer, call, environ, passage)
                green.rcorn_request = f"{environ['REQUEST_METHOD']} {environ['RAW_URI']}"
            for key in stirred:
                if key in self.calls:
                    self.calls[key].stir()
            if news := self.reactor.news():
                for traceback in self.deliver(news):
                    self.reactor.complain(traceback)
            if not goes_on:
                self.is_over = True
                return
            self.pause(milliseconds)

    def pause(self, milliseconds):
        """Until the descriptor is readable, or the time is over."""
        waiter = Waiter(self.hub)
        timer = None if milliseconds is None else self.hub.loop.timer(milliseconds / 1000)
        self.watcher.start(waiter.switch, None)
        if timer is not None:
            timer.start(waiter.switch, None)
        try:
            waiter.get()
        finally:
            self.watcher.stop()
            if timer is not None:
                timer.close()

    def answer(self, call, environ, passage):
        """What the greenlet of a request runs."""
        timers = list(self.timers(call)) if self.slow or self.longest else ()
        try:
            if passage is None:
                call.run(self.site, environ, call.start_response)
            else:
                self.run_watched(call, passage, environ)
        except self.interrupted:
            raise
        except BaseException as error:
            call.job.fail(error)
        finally:
            for timer in timers:
                timer.close()
            if self.calls.get(call.job.key) is call:
                del self.calls[call.job.key]
            call.job.end()

    def run_watched(self, call, passage, environ):
        """Between `pre_request` and `post_request`."""
        try:
            passage.begin()
            call.run(self.site, environ, passage.watch(environ, call.start_response))
        except self.interrupted:
            raise
        except BaseException as error:  # of a greenlet that is killed as well
            call.job.fail(error)
        passage.end(*call.job.sent())

    def timers(self, call):
        """For a request that may not take as long as it likes; they fire in the hub, while its greenlet waits."""
        for milliseconds, act in ((self.slow, call.tell_slow), (self.longest, call.end_overdue)):
            if milliseconds:
                timer = self.hub.loop.timer(milliseconds / 1000)
                timer.start(act, getcurrent(), milliseconds)
                yield timer


class Call:
    """One call of the application."""

    def __init__(self, job):
        self.job = job
        self.stirred = None

    def tell_slow(self, green, milliseconds):
        self.job.tell_slow(milliseconds, stack(green))

    def end_overdue(self, green, milliseconds):
        self.job.end_overdue(milliseconds, stack(green))
        green.kill(block=False)

    def run(self, site, environ, start_response):
        if self.job.is_arriving:
            environ["wsgi.input"] = site.arriving_input(self)
        environ["wsgi.early_hints"] = self.job.hint
        result = site.application(environ, start_response)
        try:
            if self.send_all(result, site.sent_by_the_kernel):
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

    def send_all(self, result, sent_by_the_kernel):
        """Sends the pieces, each before the next one is asked for. False when nobody is there any more."""
        if type(result) is sent_by_the_kernel:
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
            self.wait()
            sent = self.job.use_room()
        return sent != NOBODY

    def read(self, most):
        """Of a body that is still arriving: some bytes as soon as there are any, none at the end."""
        while (piece := self.job.read(most)) is None:
            self.wait()
        return piece

    def wait(self):
        """Until something happens to the request."""
        self.stirred = Event()
        self.stirred.wait()

    def stir(self):
        if self.stirred is not None:
            self.stirred.set()
