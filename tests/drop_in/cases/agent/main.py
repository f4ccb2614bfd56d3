import agent

# Agents want to be there before the application is.
BEFORE = bool(agent.ENVIRONMENT)


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"before: {BEFORE}".encode()]
