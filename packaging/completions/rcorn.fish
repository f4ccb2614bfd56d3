complete -c rcorn -s c -l config -d 'settings file: TOML, or Python as FILE.py, file:PATH or python:MODULE; else ./gunicorn.conf.py' -r -F
complete -c rcorn -l hooks -d 'Python file (FILE.py or python:MODULE) with Gunicorn\'s hooks, beside settings in TOML; its settings do not count' -r
complete -c rcorn -l python -d 'the application\'s interpreter, or the directory of its virtual environment' -r -F
complete -c rcorn -l chdir -d 'directory that the application works in and is imported from; other paths start from it [default: .]' -r -f -a "(__fish_complete_directories)"
complete -c rcorn -l pythonpath -d 'directories that are put in front of sys.path, separated by commas' -r
complete -c rcorn -s e -l env -d 'environment of the application; repeatable' -r
complete -c rcorn -l env-file -d 'file of NAME=VALUE lines for that environment, read again at each reload' -r -F
complete -c rcorn -l preload -d 'import the application before the workers are forked: on, off, or auto: if it survives that [default: auto]' -r -f -a "on\t''
off\t''
auto\t''"
complete -c rcorn -l warm-up -d 'MODULE:CALLABLE that is called with the application before that serves, once where it is preloaded' -r
complete -c rcorn -s b -l bind -d 'HOST:PORT, [IPV6]:PORT, unix:PATH, unix:@NAME or fd://N; repeatable [default: 127.0.0.1:8000, or 0.0.0.0:$PORT]' -r
complete -c rcorn -l backlog -d 'connections that may wait to be accepted [default: 2048]' -r
complete -c rcorn -l reuse-port -d 'let other servers listen at the same address [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l paste -l paster -d 'FILE.ini[#SECTION] of PasteDeploy (Pyramid) that describes the application, instead of app' -r
complete -c rcorn -l paste-global -d 'values for the [DEFAULT] section of that file; repeatable' -r
complete -c rcorn -s w -l workers -d 'worker processes; auto: one for each CPU that rcorn may use [default: 1, or $WEB_CONCURRENCY]' -r
complete -c rcorn -s k -l worker-class -d 'kind of workers, by these names or by those of Gunicorn and uvicorn; auto: what the application needs [default: auto]' -r -f -a "auto\t''
sync\t''
threads\t''
asgi\t''
gevent\t''"
complete -c rcorn -l threads -d 'threads of each worker for requests of a WSGI application; sync workers become threaded with more than 1 [default: 1]' -r
complete -c rcorn -l worker-connections -d 'connections that one worker keeps open [default: 1000]' -r
complete -c rcorn -s t -l timeout -d 'time that a request may take without progress; 0: no limit [default: 30]' -r
complete -c rcorn -l request-timeout -d 'time that a request may take in all; 0: no limit [default: 0]' -r
complete -c rcorn -l slow-request -d 'time after which the Python stacks of a request are logged, once; 0: never [default: 0]' -r
complete -c rcorn -l max-requests -d 'requests after which a worker is replaced; 0: never [default: 0]' -r
complete -c rcorn -l max-requests-jitter -d 'up to so many more, by chance [default: 0]' -r
complete -c rcorn -l max-worker-age -d 'age at which a worker is replaced; 0: never [default: 0]' -r
complete -c rcorn -l max-worker-memory -d 'memory (PSS) above which a worker is replaced, such as 300M; 0: never [default: 0]' -r
complete -c rcorn -l max-boot-failures -d 'failures after which the first start, or a reload, is given up [default: 1]' -r
complete -c rcorn -l max-generations -d 'generations that may exist at a time; the oldest has to hurry then [default: 3]' -r
complete -c rcorn -l graceful-timeout -d 'time that a stop waits for requests in flight [default: 30]' -r
complete -c rcorn -l startup-timeout -d 'time until the workers are ready; 0: no limit [default: 60]' -r
complete -c rcorn -l idle-timeout -d 'time without any connection after which rcorn ends, for systemd to start it on demand; 0: never [default: 0]' -r
complete -c rcorn -l rolling -d 'replace workers one by one in a reload, where there is no memory for two generations [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l loop -l asgi-loop -d 'event loop: asyncio, uvloop, or auto: uvloop where it is installed [default: auto]' -r -f -a "auto\t''
asyncio\t''
uvloop\t''"
complete -c rcorn -l lifespan -l asgi-lifespan -d 'tell the application that its worker starts and ends: on, off, or auto: if it wants to know [default: auto]' -r -f -a "auto\t''
on\t''
off\t''"
complete -c rcorn -l asgi-disconnect-grace-period -d 'time that the task of a request may go on after its client has gone away [default: 3]' -r
complete -c rcorn -l root-path -d 'what a proxy in front has taken off the beginning of the paths' -r
complete -c rcorn -l websocket-max-message-size -l ws-max-size -d 'largest message of a websocket\'s client, such as 16M; a larger one is answered with 1009; 0: no limit [default: 16777216]' -r
complete -c rcorn -l websocket-ping-interval -l ws-ping-interval -d 'time after which a websocket\'s client is pinged, again and again; 0: never [default: 20]' -r
complete -c rcorn -l websocket-ping-timeout -l ws-ping-timeout -d 'time that its answer may take; 0: no limit [default: 20]' -r
complete -c rcorn -l websocket-compression -l ws-per-message-deflate -d 'compress messages of websockets whose clients can do that [default: on]' -r -f -a "on\t''
off\t''
true\t''
false\t''"
complete -c rcorn -l keep-alive -d 'time that a quiet connection is kept; 0: not at all [default: 75]' -r
complete -c rcorn -l header-timeout -d 'time that a client may take for the head of a request; 0: no limit [default: 30]' -r
complete -c rcorn -l body-timeout -d 'time that a client may take for the body, plus 1 s for each KiB of it; 0: no limit [default: 30]' -r
complete -c rcorn -l write-timeout -d 'time that a client may take nothing of a response; 0: no limit [default: 30]' -r
complete -c rcorn -l limit-request-line -d 'bytes of a request line; 0: as many as possible, 65536 [default: 4094]' -r
complete -c rcorn -l limit-request-fields -d 'header fields of a request; 0: as many as possible, 32768 [default: 100]' -r
complete -c rcorn -l limit-request-field-size -d 'bytes of a header field; 0: as many as possible, 65536 [default: 8190]' -r
complete -c rcorn -l limit-request-body -d 'bytes of a request\'s body; 0: no limit [default: 0]' -r
complete -c rcorn -l tmp-upload-dir -d 'directory for large bodies; else $TMPDIR, /var/tmp or /tmp' -r -F
complete -c rcorn -l sendfile -d 'have the kernel send the files that the application wraps; --no-sendfile: do not [default: on, or $SENDFILE]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l log-level -d 'debug, info, warning, error or critical [default: info]' -r -f -a "debug\t''
info\t''
warning\t''
error\t''
critical\t''"
complete -c rcorn -l log-format -d 'plain lines, or json: a record in each line, of both logs and of what the application prints [default: plain]' -r -f -a "plain\t''
json\t''"
complete -c rcorn -l access-logformat -d 'combined, common, json, or text with atoms such as %(h)s; else combined, or json where log_format is' -r
complete -c rcorn -l error-logfile -l log-file -d 'log file; - is stderr [default: -]' -r
complete -c rcorn -l access-logfile -d 'access log file; - is stdout; or off [default: off]' -r
complete -c rcorn -l capture-output -d 'write what the application prints to the error log, where that is a file [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l log-syslog -d 'send both logs to syslog as well [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l log-syslog-to -d 'where it is: udp://HOST:PORT, tcp://HOST:PORT, or unix://PATH with #dgram or #stream behind it [default: udp://localhost:514]' -r
complete -c rcorn -l log-syslog-prefix -d 'what its lines begin with: gunicorn.PREFIX.error, gunicorn.PREFIX.access; else the name, or the application\'s' -r
complete -c rcorn -l log-syslog-facility -d 'facility of its lines: user, daemon, local0 to local7, … [default: user]' -r
complete -c rcorn -l disable-redirect-access-to-syslog -d 'send only the error log there [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l log-config -d 'ini file for Python\'s logging, as logging.config.fileConfig reads it' -r -F
complete -c rcorn -l log-config-json -d 'JSON file for Python\'s logging, with what logging.config.dictConfig takes' -r -F
complete -c rcorn -l logger-class -d 'class of your own for the server\'s logs, by its dotted name; it derives from gunicorn.glogging.Logger' -r -f -a "gunicorn.glogging.Logger\t''"
complete -c rcorn -s u -l user -d 'user that runs the application, by name or number' -r
complete -c rcorn -s g -l group -d 'group that runs the application, by name or number' -r
complete -c rcorn -s m -l umask -d 'file mode mask of unix sockets, octal [default: 0]' -r
complete -c rcorn -s p -l pid -d 'file for the process id' -r -F
complete -c rcorn -s n -l name -d 'name that ps shows; else the application\'s' -r
complete -c rcorn -l metrics-bind -d 'where /metrics (for Prometheus), /live and /ready are answered; its forms are those of bind' -r
complete -c rcorn -l statsd-host -d 'statsd server that is told of each request: HOST:PORT, [IPV6]:PORT or unix://PATH' -r
complete -c rcorn -l statsd-prefix -d 'what the names of these metrics begin with; a dot is put behind it' -r
complete -c rcorn -l dogstatsd-tags -d 'tags behind each of these metrics, as DogStatsD has them: NAME:VALUE, separated by commas' -r
complete -c rcorn -l enable-backlog-metric -d 'tell the statsd server each second how many connections wait to be accepted [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l forwarded-allow-ips -d 'proxies whose header fields are believed: addresses, networks, or *; unix sockets always [default: 127.0.0.1,::1, or $FORWARDED_ALLOW_IPS]' -r
complete -c rcorn -l forwarded-for -d 'field of trusted proxies that REMOTE_ADDR is read from: x-forwarded-for, forwarded, or off [default: off]' -r -f -a "off\t''
x-forwarded-for\t''
forwarded\t''"
complete -c rcorn -l forwarder-headers -d 'fields with an underscore that trusted proxies may send; * is all [default: SCRIPT_NAME,PATH_INFO]' -r
complete -c rcorn -l header-map -d 'what becomes of other fields with an underscore: drop, refuse, or dangerous: passed on [default: drop]' -r -f -a "drop\t''
refuse\t''
dangerous\t''"
complete -c rcorn -l script-name -d 'path that the application is mounted at, unless a trusted proxy sends SCRIPT_NAME' -r
complete -c rcorn -l proxy-protocol -d 'PROXY headers that are read before the first request: v1, v2, auto (both, as is on), or off [default: off]' -r -f -a "on\t''
off\t''
v1\t''
v2\t''
auto\t''"
complete -c rcorn -l proxy-allow-from -d 'who may send PROXY headers: addresses, networks, or *; unix sockets always [default: 127.0.0.1,::1]' -r
complete -c rcorn -l permit-obsolete-folding -d 'take header fields that go on in the next line [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l strip-header-spaces -d 'take blanks between a field\'s name and its colon; dangerous behind a proxy [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l permit-unconventional-http-method -d 'take methods with lower case or #, shorter than 3 or longer than 20 [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l permit-unconventional-http-version -d 'take versions outside HTTP/1.x, as the nearest one [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l casefold-http-method -d 'make methods upper case [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l control-socket -d 'unix socket for rcornctl; else control.sock in the $RUNTIME_DIRECTORY of systemd, else none' -r -F
complete -c rcorn -l control-socket-mode -d 'file mode of that socket, octal [default: 0600]' -r
complete -c rcorn -l control-socket-owner -d 'whose it is: USER, USER:GROUP or :GROUP; else the one\'s who starts rcorn' -r
complete -c rcorn -l no-control-socket -d 'have no such socket [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l reload -d 'reload when a file of the application changes, and show clients why it cannot be imported [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l reload-engine -d 'how changes are noticed: inotify, poll (once a second), or auto: inotify where that hears of all [default: auto]' -r -f -a "auto\t''
poll\t''
inotify\t''"
complete -c rcorn -l reload-extra-file -d 'further files, directories or patterns such as templates/**/*.html that are watched; repeatable' -r
complete -c rcorn -l spew -d 'print every line of Python that runs, to standard error [default: off]' -r -f -a "on\t''
off\t''"
complete -c rcorn -l no-sendfile
complete -c rcorn -l check-config -d 'try everything but serving, the application\'s import too'
complete -c rcorn -l print-config -d 'show every setting and where it comes from'
complete -c rcorn -l migrate -d 'FILE in the place of the application: print gunicorn.conf.py, or an .ini of uWSGI\'s, as TOML'
complete -c rcorn -s h -l help -d 'show this'
complete -c rcorn -s v -l version -d 'show the version'
