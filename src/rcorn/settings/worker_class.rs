//! Names of worker classes: ours, Gunicorn's, and uvicorn's for Gunicorn. Who uses them need change nothing.

use contract::settings::WorkerClass;

/// What help and completions show.
pub(super) const WORDS: &[&str] = &["auto", "sync", "threads", "asgi", "gevent"];

const ASGI: &[&str] = &[
    "asgi",
    "gunicorn.workers.gasgi.ASGIWorker",
    "uvicorn.workers.UvicornWorker",
    "uvicorn.workers.UvicornH11Worker",
    "uvicorn_worker.UvicornWorker",
    "uvicorn_worker.UvicornH11Worker",
    "uvicorn_worker.workers.UvicornWorker",
    "uvicorn_worker.workers.UvicornH11Worker",
];
const GEVENT: &[&str] = &[
    "gevent",
    "gevent_wsgi",
    "gevent_pywsgi",
    "gunicorn.workers.ggevent.GeventWorker",
    "gunicorn.workers.ggevent.GeventPyWSGIWorker",
];

/// Every name that stands for something.
const NAMES: &[(WorkerClass, &[&str])] = &[
    (WorkerClass::Auto, &["auto"]),
    (WorkerClass::Sync, &["sync", "gunicorn.workers.sync.SyncWorker"]),
    (WorkerClass::Threads, &["threads", "thread", "gthread", "gunicorn.workers.gthread.ThreadWorker"]),
    (WorkerClass::Gevent, GEVENT),
    (WorkerClass::Asgi, ASGI),
];

/// Gunicorn's that rcorn will not have, and what to do.
const REFUSED: &[(&str, &str)] = &[
    ("eventlet", "eventlet is no longer developed, and Gunicorn has dropped it: use threads or gevent"),
    (
        "gunicorn.workers.geventlet.EventletWorker",
        "eventlet is no longer developed, and Gunicorn has dropped it: use threads or gevent",
    ),
    ("tornado", TORNADO),
    ("gunicorn.workers.gtornado.TornadoWorker", TORNADO),
];
const TORNADO: &str =
    "a Tornado application is neither WSGI nor ASGI and serves itself: run it with its own HTTPServer";

/// The class that a name stands for; or what to do instead, or nothing when nobody has such a name.
pub(super) fn read(name: &str) -> Result<WorkerClass, String> {
    let name = name.strip_prefix("egg:gunicorn#").unwrap_or(name);
    if let Some((class, _)) = NAMES.iter().find(|(_, names)| names.contains(&name)) {
        return Ok(*class);
    }
    if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
        return Err((*why).to_owned());
    }
    Err(if name.contains(['.', ':']) {
        "classes of one's own are Python programs of Gunicorn's, and rcorn's workers are not: \
         use auto, sync, threads, asgi or gevent"
            .to_owned()
    } else {
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_mean_the_same() {
        for (name, class) in [
            ("gthread", WorkerClass::Threads),
            ("egg:gunicorn#gthread", WorkerClass::Threads),
            ("gunicorn.workers.ggevent.GeventWorker", WorkerClass::Gevent),
            ("uvicorn.workers.UvicornWorker", WorkerClass::Asgi),
            ("sync", WorkerClass::Sync),
        ] {
            assert_eq!(read(name), Ok(class));
        }
    }

    #[test]
    fn what_is_refused_is_told_why() {
        for (name, word) in
            [("tornado", "HTTPServer"), ("eventlet", "gevent"), ("my.Worker", "Python programs")]
        {
            assert!(read(name).unwrap_err().contains(word), "{name}");
        }
    }
}
