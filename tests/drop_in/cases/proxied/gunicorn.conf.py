"""Behind a proxy that tells the scheme in a field of its own, on a unix socket that only its group may use."""

bind = "unix:proxied.sock"
umask = 0o117
workers = 2
secure_scheme_headers = {"X-SCHEME": "tls"}
forwarder_headers = "SCRIPT_NAME"
forwarded_allow_ips = "127.0.0.1"
limit_request_line = 100
limit_request_fields = 20
