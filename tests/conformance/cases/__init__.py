"""The cases, by what they are about."""

from . import bodies, connections, fields, limits, permits, proxies, request_lines, responses

HTTP = [
    case
    for module in (request_lines, fields, bodies, limits, connections, responses, permits, proxies)
    for case in module.CASES
]
