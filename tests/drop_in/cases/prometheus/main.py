from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest, multiprocess

REQUESTS = Counter("shop_requests", "what was asked for", ["path"])
ALIVE = Gauge("shop_alive", "workers that are alive", multiprocess_mode="livesum")
ALIVE.set(1)


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/metrics":
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        return [generate_latest(registry)]
    REQUESTS.labels(environ["PATH_INFO"]).inc()
    return [b"thanks"]
