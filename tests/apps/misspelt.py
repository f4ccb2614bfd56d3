"""A syntax error."""

def application(environ, start_response)
    return []
