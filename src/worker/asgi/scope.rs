//! The scope of a request (ASGI 3.0, "Connection Scope").
//!
//! What is the same for all requests of a listener lies in a template that is copied; the rest is set.

use super::fields::Fields;
use crate::inherited::Inherited;
use crate::words::method;
use http::websocket::Offer;
use http::{Request, Version};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use sys::socket::Address;

/// Places for clients whose addresses are kept.
const PEERS: usize = 512;

/// What the application gets to know of one request, and the parts that name it in the log.
pub(super) struct Scope<'py> {
    pub(super) dict: Bound<'py, PyDict>,
    /// None where a websocket is asked for.
    pub(super) method: Option<Bound<'py, PyString>>,
    pub(super) path: Bound<'py, PyString>,
}

/// Makes scopes.
pub(super) struct Scopes {
    /// For each listener.
    templates: Vec<Py<PyDict>>,
    extensions: Py<PyDict>,
    /// What the application has put down in its lifespan.
    state: Option<Py<PyDict>>,
    root_path: String,
    fields: Fields,
    /// Memory for those of one request.
    pairs: Vec<Py<PyTuple>>,
    /// The newest client at each place.
    peers: Vec<Option<(SocketAddr, Py<PyTuple>)>>,
}

impl Scopes {
    pub(super) fn new(py: Python<'_>, inherited: &Inherited) -> PyResult<Self> {
        let asgi = PyDict::new(py);
        asgi.set_item("version", "3.0")?;
        asgi.set_item("spec_version", "2.5")?;
        let root_path = inherited.settings.asgi.root_path.clone();
        let common = PyDict::new(py);
        common.set_item(intern!(py, "type"), "http")?;
        common.set_item(intern!(py, "asgi"), asgi)?;
        common.set_item(intern!(py, "http_version"), "1.1")?;
        common.set_item(intern!(py, "scheme"), "http")?;
        common.set_item(intern!(py, "root_path"), &root_path)?;
        // What most requests are is not set again.
        common.set_item(intern!(py, "method"), intern!(py, "GET"))?;
        common.set_item(intern!(py, "query_string"), PyBytes::new(py, b""))?;
        // A copy has room for what each request sets, and need not grow.
        for key in ["client", "path", "raw_path", "headers"] {
            common.set_item(PyString::intern(py, key), py.None())?;
        }
        let extensions = PyDict::new(py);
        for name in ["early_hint", "pathsend", "zerocopysend"] {
            extensions.set_item(format!("http.response.{name}"), PyDict::new(py))?;
        }
        common.set_item(intern!(py, "extensions"), &extensions)?;
        let mut templates = Vec::new();
        for listener in &inherited.listeners {
            templates.push(template(&common, &sys::socket::local_address(listener.as_fd())?)?.unbind());
        }
        let extensions = extensions.unbind();
        let peers = (0..PEERS).map(|_| None).collect();
        Ok(Self {
            templates,
            extensions,
            state: None,
            root_path,
            fields: Fields::new(),
            pairs: Vec::new(),
            peers,
        })
    }

    /// From now on every scope has a copy of this.
    pub(super) fn set_state(&mut self, state: Option<Py<PyDict>>) {
        self.state = state;
    }

    /// The scope of one request.
    pub(super) fn build<'py>(
        &mut self,
        py: Python<'py>,
        request: &Request<'_>,
        offer: Option<&Offer>,
    ) -> PyResult<Scope<'py>> {
        let missing = || PyRuntimeError::new_err("there is no such listener");
        let scope = self.templates.get(request.listener()).ok_or_else(missing)?.bind(py).copy()?;
        let method = method(py, request.method());
        if !method.is(intern!(py, "GET")) {
            scope.set_item(intern!(py, "method"), &method)?;
        }
        let raw_path = request.whole_path();
        let path = path(py, &self.root_path, raw_path)?;
        scope.set_item(intern!(py, "path"), &path)?;
        scope.set_item(intern!(py, "raw_path"), PyBytes::new(py, raw_path.as_bytes()))?;
        if !request.query().is_empty() {
            scope.set_item(intern!(py, "query_string"), PyBytes::new(py, request.query().as_bytes()))?;
        }
        scope.set_item(intern!(py, "headers"), self.headers(py, request)?)?;
        if request.version() == Version::Http10 {
            scope.set_item(intern!(py, "http_version"), intern!(py, "1.0"))?;
        }
        if let Some(state) = &self.state {
            scope.set_item(intern!(py, "state"), state.bind(py).copy()?)?;
        }
        if request.takes_trailers() {
            let extensions = self.extensions.bind(py).copy()?;
            extensions.set_item(intern!(py, "http.response.trailers"), PyDict::new(py))?;
            scope.set_item(intern!(py, "extensions"), extensions)?;
        }
        self.set_way(&scope, request)?;
        if let Some(offer) = offer {
            become_websocket(&scope, offer, request.is_https())?;
        }
        Ok(Scope { dict: scope, method: offer.is_none().then_some(method), path })
    }

    fn headers<'py>(&mut self, py: Python<'py>, request: &Request<'_>) -> PyResult<Bound<'py, PyList>> {
        self.pairs.clear();
        for (name, value) in request.headers() {
            self.pairs.push(self.fields.pair(py, name, value)?.unbind());
        }
        PyList::new(py, self.pairs.drain(..))
    }

    /// Where the request came from, and what the operator or a proxy says of its way.
    fn set_way(&mut self, scope: &Bound<'_, PyDict>, request: &Request<'_>) -> PyResult<()> {
        let py = scope.py();
        if let Some(client) = request.forwarded_client() {
            let client = (client.ip.to_string(), client.port.unwrap_or(0));
            scope.set_item(intern!(py, "client"), client)?;
        } else if let Address::Tcp(address) = request.peer() {
            scope.set_item(intern!(py, "client"), self.peer(py, address)?)?;
        }
        if request.is_https() {
            scope.set_item(intern!(py, "scheme"), intern!(py, "https"))?;
        }
        if !request.script_name().is_empty() {
            let mount = path(py, &self.root_path, request.script_name())?;
            scope.set_item(intern!(py, "root_path"), mount)?;
        }
        Ok(())
    }

    fn peer<'py>(&mut self, py: Python<'py>, address: &SocketAddr) -> PyResult<Bound<'py, PyTuple>> {
        let place = &mut self.peers[usize::from(address.port()) % PEERS];
        match place {
            Some((known, peer)) if known == address => Ok(peer.bind(py).clone()),
            _ => {
                let peer = (address.ip().to_string(), address.port()).into_pyobject(py)?;
                *place = Some((*address, peer.clone().unbind()));
                Ok(peer)
            }
        }
    }
}

/// The scope of a request that asks for a websocket.
fn become_websocket(scope: &Bound<'_, PyDict>, offer: &Offer, secure: bool) -> PyResult<()> {
    let py = scope.py();
    scope.set_item(intern!(py, "type"), intern!(py, "websocket"))?;
    scope.set_item(intern!(py, "scheme"), if secure { "wss" } else { "ws" })?;
    scope
        .set_item(intern!(py, "subprotocols"), PyList::new(py, offer.subprotocols().collect::<Vec<_>>())?)?;
    let extensions = PyDict::new(py);
    extensions.set_item(intern!(py, "websocket.http.response"), PyDict::new(py))?;
    scope.set_item(intern!(py, "extensions"), extensions)?;
    scope.del_item(intern!(py, "method"))
}

fn template<'py>(common: &Bound<'py, PyDict>, local: &Address) -> PyResult<Bound<'py, PyDict>> {
    let (py, scope) = (common.py(), common.copy()?);
    match local {
        Address::Tcp(address) => {
            scope.set_item(intern!(py, "server"), (address.ip().to_string(), address.port()))?;
        }
        Address::Unix(path) => scope.set_item(intern!(py, "server"), (path.as_os_str(), py.None()))?,
        // The name of an abstract socket begins with a nought byte, as Python has it.
        Address::Abstract(name) => {
            let name = format!("\0{}", String::from_utf8_lossy(name));
            scope.set_item(intern!(py, "server"), (name, py.None()))?;
        }
        Address::Unnamed => scope.set_item(intern!(py, "server"), py.None())?,
    }
    Ok(scope)
}

/// A path as text: percent-decoded once, as UTF-8; an invalid escape stays as it is.
fn path<'py>(py: Python<'py>, root: &str, raw: &str) -> PyResult<Bound<'py, PyString>> {
    if root.is_empty() && memchr::memchr(b'%', raw.as_bytes()).is_none() {
        return Ok(PyString::new(py, raw));
    }
    let mut decoded = root.as_bytes().to_vec();
    crate::escape::decode(raw.as_bytes(), &mut decoded);
    Ok(PyString::new(py, &String::from_utf8_lossy(&decoded)))
}
