//! HTTP for the control socket and for metrics, by hyper: who may take how long, and which path means what where.

use super::{Answer, Ask, Asked, Scale};
use crate::metrics::accepts;
use contract::control::Said;
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, HeaderMap};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// How long a client may take for a head.
const HEAD: Duration = Duration::from_secs(5);
/// The longest body.
const LONGEST_BODY: usize = 4096;

/// Where clients come in.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The same, as long as it is open.
#[derive(Debug)]
pub(super) struct Gate(Mutex<Option<Socket>>);

impl Gate {
    pub(super) fn of(socket: Socket) -> Self {
        Self(Mutex::new(Some(socket)))
    }

    /// Closes the socket, now.
    pub(super) fn remove(&self) {
        *self.socket() = None;
    }

    async fn accept(&self) -> io::Result<Stream> {
        poll_fn(|context| match &*self.socket() {
            Some(Socket::Tcp(listener)) => listener.poll_accept(context).map_ok(|(stream, _)| boxed(stream)),
            Some(Socket::Unix(listener)) => listener.poll_accept(context).map_ok(|(stream, _)| boxed(stream)),
            None => Poll::Pending,
        })
        .await
    }

    fn socket(&self) -> MutexGuard<'_, Option<Socket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is answered there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum House {
    /// Everything.
    Control,
    /// Metrics and health, for anybody who reaches the listener.
    Metrics,
}

impl House {
    /// Clients at a time; more wait in the kernel's queue.
    pub(super) fn places(self) -> usize {
        match self {
            Self::Control => 16,
            Self::Metrics => 64,
        }
    }

    /// For how long a client may be there.
    fn patience(self) -> Duration {
        match self {
            Self::Control => Duration::from_secs(30),
            Self::Metrics => Duration::from_secs(10),
        }
    }
}

/// Serves for ever.
pub(super) async fn serve(gate: Arc<Gate>, house: House, places: Arc<Semaphore>, asks: mpsc::Sender<Asked>) {
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match gate.accept().await {
            Ok(stream) => {
                let asks = asks.clone();
                tokio::spawn(async move {
                    // Who takes too long, or goes away, is no matter of anybody else.
                    let _ = tokio::time::timeout(house.patience(), client(stream, house, asks)).await;
                    drop(place);
                });
            }
            // No descriptors are left, most likely: a moment later there may be.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// One client's connection.
type Stream = Box<dyn Duplex>;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

fn boxed(stream: impl Duplex + 'static) -> Stream {
    Box::new(stream)
}

async fn client(stream: Stream, house: House, asks: mpsc::Sender<Asked>) {
    let service = service_fn(move |request| respond(request, house, asks.clone()));
    let mut server = hyper::server::conn::http1::Builder::new();
    // Probes and scrapes come seldom: a connection that is kept would only be in the way of others.
    server.keep_alive(house == House::Control);
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(16 * 1024);
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(
    request: Request<Incoming>,
    house: House,
    asks: mpsc::Sender<Asked>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, LONGEST_BODY).collect().await.map(Collected::to_bytes).unwrap_or_default();
    let (method, path) = (&parts.method, parts.uri.path());
    let ask = match (observed(method, path, &parts.headers), house) {
        (Some(ask), _) => ask,
        (None, House::Control) => meaning(method, path, &body),
        (None, House::Metrics) => Err((404, "there is /metrics, /live and /ready here")),
    };
    let ask = match ask {
        Ok(ask) => ask,
        Err((status, message)) => return Ok(said(status, message)),
    };
    let (answer, answered) = oneshot::channel();
    if asks.send(Asked { ask, answer }).await.is_err() {
        return Ok(said(503, "the arbiter is about to end"));
    }
    Ok(match answered.await {
        Ok(Answer::Json(status, json)) => response(status, json),
        Ok(Answer::Text(status, kind, text)) => typed(status, kind, text.into_bytes()),
        Ok(Answer::Stacks(files)) => response(200, collect(files).await),
        Err(_) => said(503, "the arbiter is about to end"),
    })
}

/// What was asked for, or a status and a sentence.
type Meaning = Result<Ask, (u16, &'static str)>;

/// What a request asks for that changes nothing; `None` when its path is none of these.
fn observed(method: &Method, path: &str, headers: &HeaderMap) -> Option<Meaning> {
    let ask = match path {
        "/metrics" => {
            let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
            Ask::Metrics(accepts::form(&accept.collect::<Vec<_>>().join(",")))
        }
        "/live" => Ask::Live,
        "/ready" => Ask::Ready,
        _ => return None,
    };
    let reads = method == Method::GET || method == Method::HEAD;
    Some(if reads { Ok(ask) } else { Err((405, "GET and HEAD only")) })
}

/// What a request asks for.
fn meaning(method: &Method, path: &str, body: &[u8]) -> Meaning {
    let get = method == Method::GET;
    let ask = match path.trim_matches('/').split('/').collect::<Vec<_>>().as_slice() {
        ["status" | "workers"] if get => Ask::Status,
        ["settings"] if get => Ask::Settings,
        ["stacks"] if get => Ask::Stacks(None),
        ["stacks", worker] if get => Ask::Stacks(Some(
            worker.parse().map_err(|_| (404, "a worker is named by its number or process id"))?,
        )),
        ["reloads", id] if get => Ask::Outcome(id.parse().map_err(|_| (404, "a reload has a number"))?),
        ["reload"] if !get => Ask::Reload,
        ["scale"] if !get => Ask::Scale(scale(body)?),
        ["stop"] if !get => Ask::Stop,
        ["quit"] if !get => Ask::Quit,
        ["reopen"] if !get => Ask::Reopen,
        ["status" | "workers" | "settings" | "stacks" | "reload" | "scale" | "stop" | "quit" | "reopen"] => {
            return Err((405, "GET asks, POST has something done"));
        }
        _ => return Err((404, "there is nothing under this path; try /status")),
    };
    if get || method == Method::POST { Ok(ask) } else { Err((405, "GET asks, POST has something done")) }
}

/// `{"workers": 3}`, `{"workers": "+1"}`, or just that.
fn scale(body: &[u8]) -> Result<Scale, (u16, &'static str)> {
    let expected = (400, "expected {\"workers\": N}, with a number, \"+N\" or \"-N\"");
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|_| expected)?;
    let text = match value.get("workers") {
        Some(serde_json::Value::Number(number)) => number.to_string(),
        Some(serde_json::Value::String(text)) => text.clone(),
        _ => return Err(expected),
    };
    if text.starts_with(['+', '-']) {
        text.parse().map(Scale::By).map_err(|_| expected)
    } else {
        text.parse().map(Scale::To).map_err(|_| expected)
    }
}

/// Waits until nothing more is written, for two seconds at most, and gives all of it.
async fn collect(files: Vec<(String, OwnedFd)>) -> Vec<u8> {
    let mut stacks = Vec::new();
    for (heading, file) in files {
        let mut text = String::new();
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = file.try_clone().map_or_else(|_| String::new(), read);
            if !now.is_empty() && now == text {
                break;
            }
            text = now;
        }
        let _ = sys::memory::clear(&file);
        stacks.push(serde_json::json!({ "worker": heading, "stacks": text }));
    }
    serde_json::to_vec(&stacks).unwrap_or_default()
}

fn read(file: OwnedFd) -> String {
    String::from_utf8_lossy(&sys::memory::read(file).unwrap_or_default()).into_owned()
}

fn said(status: u16, message: &str) -> Response<Full<Bytes>> {
    response(status, serde_json::to_vec(&Said { message: message.to_owned() }).unwrap_or_default())
}

fn response(status: u16, mut json: Vec<u8>) -> Response<Full<Bytes>> {
    json.push(b'\n');
    typed(status, "application/json", json)
}

fn typed(status: u16, kind: &'static str, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() =
        hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let kind = hyper::header::HeaderValue::from_static(kind);
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Form;

    #[test]
    fn three_paths_only_look() {
        let ask = |method, path| {
            observed(&method, path, &HeaderMap::new()).map(|ask| ask.map_err(|(status, _)| status))
        };
        assert_eq!(ask(Method::GET, "/live"), Some(Ok(Ask::Live)));
        assert_eq!(ask(Method::HEAD, "/ready"), Some(Ok(Ask::Ready)));
        assert_eq!(ask(Method::GET, "/metrics"), Some(Ok(Ask::Metrics(Form::Prometheus))));
        assert_eq!(ask(Method::POST, "/metrics"), Some(Err(405)));
        assert_eq!(ask(Method::GET, "/status"), None);
    }

    #[test]
    fn paths_have_meanings() {
        let ask =
            |method, path, body: &str| meaning(&method, path, body.as_bytes()).map_err(|(status, _)| status);
        assert_eq!(ask(Method::GET, "/status", ""), Ok(Ask::Status));
        assert_eq!(ask(Method::GET, "/stacks/2/", ""), Ok(Ask::Stacks(Some(2))));
        assert_eq!(ask(Method::GET, "/reloads/7", ""), Ok(Ask::Outcome(7)));
        assert_eq!(ask(Method::POST, "/scale", "{\"workers\": 3}"), Ok(Ask::Scale(Scale::To(3))));
        assert_eq!(ask(Method::POST, "/scale", "{\"workers\": \"+2\"}"), Ok(Ask::Scale(Scale::By(2))));
        assert_eq!(ask(Method::POST, "/scale", "{\"workers\": \"-1\"}"), Ok(Ask::Scale(Scale::By(-1))));
        for (method, path, body, status) in [
            (Method::GET, "/", "", 404),
            (Method::GET, "/reload", "", 405),
            (Method::DELETE, "/stop", "", 405),
            (Method::POST, "/status", "", 405),
            (Method::GET, "/stacks/x", "", 404),
            (Method::POST, "/scale", "3", 400),
            (Method::POST, "/scale", "{\"workers\": -1.5}", 400),
            (Method::POST, "/scale", "", 400),
        ] {
            assert_eq!(ask(method, path, body), Err(status), "{path} {body}");
        }
    }
}
