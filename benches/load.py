"""Loads: wrk for requests, and clients of our own for websockets and for arrivals that do not wait for answers."""

import os
import random
import re
import resource
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass
class Done:
    """What a load saw."""

    requests: int
    seconds: float
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    mean_ms: float = 0.0
    errors: int = 0
    # What the load itself used of a CPU, where that is known.
    cpu_us: float = 0.0


def wrk(port, path, connections, seconds, *, core=None, headers=(), body=0, depth=1):
    """Requests as fast as they are answered."""
    pinned = ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []
    fields = [word for header in headers for word in ("-H", header)]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(script_for(path, body, depth))
        script.flush()
        extra = ["-s", script.name] if body or depth > 1 else []
        command = [*pinned, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s", *fields, *extra]
        before = children_us()
        done = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"wrk: {done.stdout.strip()} {done.stderr.strip()}")
    return parse(done.stdout, children_us() - before)


def children_us():
    """CPU time of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1e6


def script_for(path, body, depth):
    if body:
        return f'wrk.method = "POST"\nwrk.body = string.rep("x", {body})\n'
    return (
        f'init = function() local r = {{}}; for i = 1, {depth} do r[i] = wrk.format("GET", "{path}") end; all = table.concat(r) end\n'
        "request = function() return all end\n"
    )


def parse(output, cpu_us):
    count, seconds = re.search(r"(\d+) requests in ([\d.]+)(m|s)", output).group(1, 2)
    seconds = float(seconds) * (60 if f"{seconds}m," in output else 1)
    errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", output)))
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)

    def latency(percent):
        value, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)\b", output).groups()
        return float(value) * UNITS[unit]

    return Done(int(count), seconds, latency(50), latency(99), errors=errors + int(bad[1] if bad else 0), cpu_us=cpu_us)


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
FRAME = b"\x82\xa0" + struct.pack(">I", 0) + b"x" * 32
ECHO = 34


def websockets(port, connections, seconds, depth=16):
    """Messages of 32 bytes that come back, some on their way on each connection."""
    sockets = [websocket(port) for _ in range(connections)]
    burst, count = FRAME * depth, 0
    begin = time.monotonic()
    for client in sockets:
        client.sendall(burst)
    while time.monotonic() - begin < seconds:
        for client in sockets:
            receive(client, ECHO * depth)
            client.sendall(burst)
            count += depth
    for client in sockets:
        receive(client, ECHO * depth)
        client.close()
    return Done(count + connections * depth, time.monotonic() - begin)


def websocket(port):
    client = socket.create_connection(("127.0.0.1", port), 10)
    client.sendall(HANDSHAKE)
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(1)
    assert b" 101 " in head, head
    return client


def receive(client, count):
    while count:
        data = client.recv(min(count, 65536))
        assert data, "the server closed the connection"
        count -= len(data)


def arrivals(port, path, rate, connections, seconds, seed=1):
    """Requests that arrive by chance at this rate, however long answers take; each waits for a free connection first."""
    chance, free, latencies = random.Random(seed), threading.Semaphore(connections), []
    idle, lock, threads = [], threading.Lock(), []
    now = begin = time.monotonic()
    while now - begin < seconds:
        now += chance.expovariate(rate)
        time.sleep(max(0, now - time.monotonic()))
        thread = threading.Thread(target=one, args=(port, path, now, (free, idle, lock), latencies))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    latencies.sort()
    p50, p99 = (latencies[int(len(latencies) * share)] for share in (0.5, 0.99))
    return Done(len(latencies), seconds, p50, p99, sum(latencies) / len(latencies))


def one(port, path, due, pool, latencies):
    """One request on a kept connection; a new one where the server closed it."""
    free, idle, lock = pool
    with free:
        with lock:
            client = idle.pop() if idle else socket.create_connection(("127.0.0.1", port), 30)
        keeps = ask(client, path)
        if keeps is None:
            client = socket.create_connection(("127.0.0.1", port), 30)
            keeps = ask(client, path)
        latencies.append((time.monotonic() - due) * 1000)
        if keeps:
            with lock:
                idle.append(client)
        else:
            client.close()


def ask(client, path):
    """Asks, reads the answer; is the connection kept? None when the server had closed it."""
    try:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        data = b""
        while not data.endswith(b"Hello, world!"):
            more = client.recv(4096)
            if not more:
                return None if not data else False
            data += more
    except (ConnectionResetError, BrokenPipeError):
        return None
    return b"connection: close" not in data.lower()


def quiet(port, connections, path="/"):
    """Connections that have had one answer and say nothing now."""
    held = []
    for _ in range(connections):
        client = socket.create_connection(("127.0.0.1", port), 30)
        ask(client, path)
        held.append(client)
    return held


def cores():
    return len(os.sched_getaffinity(0))


def get(port, path):
    """One request on a connection of its own; the body of the answer."""
    with socket.create_connection(("127.0.0.1", port), 30) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while more := client.recv(65536):
            data += more
    return data.partition(b"\r\n\r\n")[2]
