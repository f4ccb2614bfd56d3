"""Workers end themselves after a number of requests of their own choosing, and are told of."""

bind = "unix:main.sock"
workers = 1
served = 0


def post_request(worker, req):
    global served
    served += 1
    if served >= 5:
        worker.log.info("recycling after %s", served)
        worker.alive = False
