//! The environment of a request (PEP 3333, "environ Variables"), with the keys that Gunicorn has.
//!
//! What is the same for all requests of a listener lies in a template that is copied; the rest is set. Never
//! anything of `os.environ`.

use super::input::Inputs;
use super::names::Names;
use super::peers::Peers;
use super::site::Site;
use crate::words::{latin1, method};
use http::{Proxied, Request, Version};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString};
use sys::socket::Address;

/// What the environments of all requests of one listener have in common.
struct Template<'py> {
    environ: Bound<'py, PyDict>,
    /// A unix socket has no name and port of its own; those in the Host field stand for them.
    is_unix: bool,
}

/// So many keys want a table that is large enough for the fields of most requests.
const ROOMY: usize = 22;

/// Makes environments.
pub(crate) struct Environ<'py> {
    py: Python<'py>,
    listeners: Vec<Template<'py>>,
    inputs: Inputs<'py>,
    names: Names<'py>,
    peers: Peers<'py>,
    empty: Bound<'py, PyString>,
}

impl<'py> Environ<'py> {
    pub(crate) fn new(
        py: Python<'py>,
        helper: &Bound<'py, PyModule>,
        hints: &Bound<'py, PyAny>,
        site: &Site,
    ) -> PyResult<Self> {
        let common = PyDict::new(py);
        common.set_item("wsgi.version", (1, 0))?;
        common.set_item("wsgi.url_scheme", "http")?;
        common.set_item("wsgi.errors", &site.errors)?;
        common.set_item("wsgi.multithread", site.multithread)?;
        common.set_item("wsgi.multiprocess", site.multiprocess)?;
        common.set_item("wsgi.run_once", false)?;
        common.set_item("wsgi.input_terminated", true)?;
        common.set_item("wsgi.file_wrapper", helper.getattr("FileWrapper")?)?;
        common.set_item("SERVER_SOFTWARE", concat!("rcorn/", env!("CARGO_PKG_VERSION")))?;
        common.set_item("SCRIPT_NAME", "")?;
        common.set_item("wsgi.early_hints", hints)?;
        let mut listeners = Vec::new();
        for address in &site.addresses {
            listeners.push(template(&common, address)?);
        }
        let inputs = Inputs::new(py, helper)?;
        let (names, peers, empty) = (Names::new(py), Peers::new(py), intern!(py, "").clone());
        Ok(Self { py, listeners, inputs, names, peers, empty })
    }

    /// The environment of one request. `input` is its body where that is still arriving.
    pub(crate) fn build(
        &mut self,
        request: &Request<'_>,
        input: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = self.py;
        let environ = self.listeners[request.listener()].environ.copy()?;
        environ.set_item(intern!(py, "REQUEST_METHOD"), method(py, request.method()))?;
        environ.set_item(intern!(py, "RAW_URI"), latin1(py, request.target().as_bytes())?)?;
        environ.set_item(intern!(py, "PATH_INFO"), path_info(py, request.path().as_bytes())?)?;
        let query = request.query();
        let query = if query.is_empty() { self.empty.clone() } else { latin1(py, query.as_bytes())? };
        environ.set_item(intern!(py, "QUERY_STRING"), query)?;
        environ.set_item(intern!(py, "SERVER_PROTOCOL"), protocol(py, request.version()))?;
        let input = match input {
            Some(input) => input,
            None => self.inputs.make(&request.body())?,
        };
        environ.set_item(intern!(py, "wsgi.input"), input)?;
        self.set_peer(&environ, request)?;
        self.set_headers(&environ, request)?;
        self.set_way(&environ, request)?;
        Ok(environ)
    }

    /// What the operator or a proxy says of the way that the request came. Most came straight.
    fn set_way(&mut self, environ: &Bound<'py, PyDict>, request: &Request<'_>) -> PyResult<()> {
        let py = self.py;
        if !request.script_name().is_empty() {
            environ.set_item(intern!(py, "SCRIPT_NAME"), latin1(py, request.script_name().as_bytes())?)?;
        }
        if request.is_https() {
            environ.set_item(intern!(py, "wsgi.url_scheme"), intern!(py, "https"))?;
        }
        if let Some(client) = request.forwarded_client() {
            environ.set_item(intern!(py, "REMOTE_ADDR"), client.ip.to_string())?;
            match client.port {
                Some(port) => environ.set_item(intern!(py, "REMOTE_PORT"), port.to_string())?,
                // That of the proxy would be a lie.
                None if environ.contains(intern!(py, "REMOTE_PORT"))? => environ.del_item("REMOTE_PORT")?,
                None => {}
            }
        }
        if let Some(Proxied { destination, .. }) = request.proxied() {
            let protocol = if destination.is_ipv4() { "TCP4" } else { "TCP6" };
            environ.set_item(intern!(py, "PROXY_PROTOCOL"), protocol)?;
            environ.set_item(intern!(py, "PROXY_ADDR"), destination.ip().to_string())?;
            environ.set_item(intern!(py, "PROXY_PORT"), destination.port().to_string())?;
        }
        Ok(())
    }

    fn set_peer(&mut self, environ: &Bound<'py, PyDict>, request: &Request<'_>) -> PyResult<()> {
        let py = self.py;
        if let Address::Tcp(address) = request.peer() {
            let peer = self.peers.get(address);
            environ.set_item(intern!(py, "REMOTE_ADDR"), &peer.address)?;
            environ.set_item(intern!(py, "REMOTE_PORT"), &peer.port)?;
        } else {
            environ.set_item(intern!(py, "REMOTE_ADDR"), &self.empty)?;
        }
        if !self.listeners[request.listener()].is_unix {
            return Ok(());
        }
        let host = request.headers().find(|(name, _)| name.eq_ignore_ascii_case(b"host"));
        let default: &[u8] = if request.is_https() { b"443" } else { b"80" };
        let (name, port) = split_host(host.map_or(b"", |(_, value)| value), default);
        environ.set_item(intern!(py, "SERVER_NAME"), latin1(py, name)?)?;
        environ.set_item(intern!(py, "SERVER_PORT"), latin1(py, port)?)
    }

    fn set_headers(&mut self, environ: &Bound<'py, PyDict>, request: &Request<'_>) -> PyResult<()> {
        let mut expected = environ.len();
        for (name, value) in request.headers() {
            let (key, value) = self.names.field(name, value)?;
            environ.set_item(key, value)?;
            expected += 1;
        }
        // Fewer entries than fields: a name came twice, and its last value overwrote the others.
        if environ.len() < expected { self.join_repeated(environ, request) } else { Ok(()) }
    }

    fn join_repeated(&mut self, environ: &Bound<'py, PyDict>, request: &Request<'_>) -> PyResult<()> {
        let mut fields: Vec<(Bound<'py, PyString>, Vec<u8>)> = Vec::new();
        for (name, value) in request.headers() {
            let key = self.names.get(name);
            // Keys are interned: what is equal is the same.
            match fields.iter_mut().find(|(known, _)| known.is(&key)) {
                Some((_, joined)) => {
                    // RFC 9113 8.2.3: the pieces of a cookie belong together with "; ".
                    let between: &[u8] = if name.eq_ignore_ascii_case(b"cookie") { b"; " } else { b"," };
                    joined.extend_from_slice(between);
                    joined.extend_from_slice(value);
                }
                None => fields.push((key, value.to_vec())),
            }
        }
        for (key, value) in fields {
            environ.set_item(key, latin1(self.py, &value)?)?;
        }
        Ok(())
    }
}

fn template<'py>(common: &Bound<'py, PyDict>, local: &Address) -> PyResult<Template<'py>> {
    let environ = common.copy()?;
    if let Address::Tcp(address) = local {
        environ.set_item("SERVER_NAME", address.ip().to_string())?;
        environ.set_item("SERVER_PORT", address.port().to_string())?;
    }
    let is_unix = !matches!(local, Address::Tcp(_));
    make_room(&environ, is_unix)?;
    Ok(Template { environ, is_unix })
}

/// Has every key that each request sets, and a table with room for its fields: a copy keeps both, and need not grow.
fn make_room(environ: &Bound<'_, PyDict>, is_unix: bool) -> PyResult<()> {
    let always = ["REQUEST_METHOD", "RAW_URI", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "wsgi.input"];
    for key in always.into_iter().chain(["REMOTE_ADDR"]).chain((!is_unix).then_some("REMOTE_PORT")) {
        environ.set_item(PyString::intern(environ.py(), key), environ.py().None())?;
    }
    // A table of 32 places, as this many keys have, is full with 21; the next one has room for 42.
    let spare: Vec<String> = (environ.len()..ROOMY).map(|number| format!("spare {number}")).collect();
    for key in &spare {
        environ.set_item(key, ())?;
    }
    spare.iter().try_for_each(|key| environ.del_item(key))
}

/// Name and port of a Host field.
fn split_host<'h>(host: &'h [u8], default: &'h [u8]) -> (&'h [u8], &'h [u8]) {
    let after_name = if host.first() == Some(&b'[') { memchr::memrchr(b']', host).unwrap_or(0) } else { 0 };
    match memchr::memrchr(b':', &host[after_name..]) {
        Some(colon) if host.len() > after_name + colon + 1 => {
            (&host[..after_name + colon], &host[after_name + colon + 1..])
        }
        Some(colon) => (&host[..after_name + colon], default),
        None => (host, default),
    }
}

fn protocol(py: Python<'_>, version: Version) -> &Bound<'_, PyString> {
    match version {
        Version::Http10 => intern!(py, "HTTP/1.0"),
        Version::Http11 => intern!(py, "HTTP/1.1"),
    }
}

/// The path, percent-decoded once; an invalid escape stays as it is.
fn path_info<'py>(py: Python<'py>, path: &[u8]) -> PyResult<Bound<'py, PyString>> {
    if memchr::memchr(b'%', path).is_none() {
        return latin1(py, path);
    }
    let mut decoded = Vec::with_capacity(path.len());
    crate::escape::decode(path, &mut decoded);
    latin1(py, &decoded)
}
