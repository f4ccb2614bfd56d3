"""A load that accounts for every request: each carries a number, and the answer must carry the same."""

import threading
import time
from collections import Counter

from .client import Closed, Connection
from .waiting import wait_until


class Load:
    """`clients` threads ask for `/number?n=…` until told to stop. Use it as a context."""

    def __init__(self, address, clients=4, keep_alive=True, path="/number", most=200_000):
        self.address = address
        self.keep_alive = keep_alive
        self.path = path
        self.most = most
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.sent = 0
        self.answered = 0
        self.failures = []
        self.workers = Counter()
        self.slowest = 0.0
        self.threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a client of the load still waits for its answer"

    def goes_on(self, count):
        """Waits until so many more are answered, or one has failed."""
        wanted = self.answered + count
        wait_until(lambda: self.answered > wanted or self.failures, f"the load has {count} more answers")

    def assert_all_answered(self):
        assert self.answered and not self.failures, f"{self.answered} answered, failed: {self.failures[:5]}"
        assert self.sent == self.answered, f"{self.sent} sent, {self.answered} answered"

    def _client(self):
        connection = None
        while not self.stopping.is_set() and (number := self._next()) is not None:
            fresh = connection is None
            try:
                connection = connection or Connection(self.address)
                connection = self._ask(connection, number)
            except (Closed, OSError, AssertionError, ValueError) as error:
                connection = self._failed(connection, number, fresh, error)
        if connection:
            connection.close()

    def _next(self):
        with self.lock:
            if self.sent >= self.most:
                return None
            self.sent += 1
            return self.sent

    def _ask(self, connection, number):
        begin = time.monotonic()
        headers = {} if self.keep_alive else {"Connection": "close"}
        response = connection.request(f"{self.path}?n={number}", headers=headers)
        took = time.monotonic() - begin
        answer, _, pid = response.text.partition(" ")
        assert response.status == 200 and answer == str(number), f"{response.status} {response.text!r} for {number}"
        with self.lock:
            self.answered += 1
            self.workers[int(pid)] += 1
            self.slowest = max(self.slowest, took)
        if response.closes or not self.keep_alive:
            connection.close()
            return None
        return connection

    def _failed(self, connection, number, fresh, error):
        if connection:
            connection.close()
        with self.lock:
            self.failures.append((number, "first on its connection" if fresh else "on a kept connection", repr(error)))
        return None
