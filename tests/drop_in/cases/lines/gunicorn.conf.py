"""Every atom, with a separator."""

bind = "127.0.0.1:0"
workers = 1
accesslog = "access.log"
ATOMS = [
    *"hlurmUqHsBbfa",
    *("{x-request-id}i", "{X-Answer}o", "{request_method}e", "{wsgi.url_scheme}e", "{not-there}i"),
    *"tTMDLp",
]
access_log_format = "|".join(f"%({atom})s" for atom in ATOMS)
