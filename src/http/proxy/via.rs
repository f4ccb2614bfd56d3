//! What the fields of one request say of the way that it came, read once its head is whole, and which of its fields
//! the application may not see.
//!
//! | fields                                    | believed from      | tell                                    |
//! |-------------------------------------------|--------------------|-----------------------------------------|
//! | `Trust::scheme_fields`                    | trusted proxies    | https or http; they must agree          |
//! | `X-Forwarded-For`, `Forwarded`, if chosen | trusted proxies    | the client                              |
//! | SCRIPT_NAME, if among `forwarder_fields`  | trusted proxies    | where the application is mounted        |
//! | other names with an underscore            | `forwarder_fields` | left out, refused or kept: `underscores`|

use super::hops::{Hop, forwarded, nearest_stranger, x_forwarded_for};
use super::{Client, ClientField, Trust, Underscores};
use crate::head::{Field, Head};
use crate::refusal::Refusal;
use crate::token::trim;

/// What was found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Via {
    /// Did the client speak https to a proxy?
    pub(crate) https: bool,
    /// The client, where that is not the peer.
    pub(crate) client: Option<Client>,
    /// The length of the path's beginning that names the application, and not something in it.
    pub(crate) mount: usize,
}

/// What is met on the way through the fields.
#[derive(Default)]
struct Met<'h> {
    https: Option<bool>,
    hops: Vec<Hop>,
    script_name: Option<&'h [u8]>,
}

impl Via {
    /// Reads the fields of `head`, which lies in `bytes`, and takes those out that nobody may see.
    pub(crate) fn read(head: &mut Head, bytes: &[u8], trust: &Trust, trusted: bool) -> Result<Self, Refusal> {
        let mut met = Met::default();
        if trusted {
            for field in &head.fields {
                met.meet(field.name.get(bytes), field.value.get(bytes), trust)?;
            }
        }
        let nearest = nearest_stranger(&met.hops, &trust.proxies);
        if let Some(https) = nearest.and_then(|hop| hop.https) {
            met.agree(https)?;
        }
        let script_name = met.script_name.unwrap_or(trust.script_name.as_bytes());
        let mount = mount(head.parts.path.get(bytes), script_name)?;
        if head.has_name_with_underscore(bytes) {
            withhold(&mut head.fields, bytes, trust, trusted)?;
        }
        let client = nearest.and_then(|hop| hop.client);
        Ok(Self { https: met.https.unwrap_or(false), client, mount })
    }
}

impl<'h> Met<'h> {
    fn meet(&mut self, name: &'h [u8], value: &'h [u8], trust: &Trust) -> Result<(), Refusal> {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        if let Some((_, https)) = trust.scheme_fields.iter().find(|(field, _)| is(field)) {
            self.agree(trim(value) == https.as_bytes())?;
        }
        match trust.client_field {
            ClientField::XForwardedFor if is("x-forwarded-for") => {
                self.hops.extend(x_forwarded_for(trim(value)));
            }
            ClientField::Forwarded if is("forwarded") => self.hops.extend(forwarded(trim(value))?),
            _ => {}
        }
        if name.len() == 11 && is("script_name") && trust.may_forward(name) {
            self.script_name = Some(trim(value));
        }
        Ok(())
    }

    fn agree(&mut self, https: bool) -> Result<(), Refusal> {
        match self.https.replace(https) {
            Some(other) if other != https => {
                Err(Refusal::bad("the proxy's fields disagree about the scheme"))
            }
            _ => Ok(()),
        }
    }
}

impl Trust {
    fn may_forward(&self, name: &[u8]) -> bool {
        self.forwarder_fields.iter().any(|field| field == "*" || name.eq_ignore_ascii_case(field.as_bytes()))
    }
}

/// Takes out the fields with an underscore that nobody may send.
fn withhold(fields: &mut Vec<Field>, bytes: &[u8], trust: &Trust, trusted: bool) -> Result<(), Refusal> {
    let is_strange = |field: &Field| {
        let name = field.name.get(bytes);
        name.contains(&b'_') && !(trusted && trust.may_forward(name))
    };
    match trust.underscores {
        Underscores::Drop => fields.retain(|field| !is_strange(field)),
        Underscores::Refuse if fields.iter().any(is_strange) => {
            return Err(Refusal::bad("a header name contains an underscore"));
        }
        Underscores::Keep | Underscores::Refuse => {}
    }
    Ok(())
}

/// How much of `path` is the application's mount point. It must be all of its first segments; `*` lies nowhere.
fn mount(path: &[u8], script_name: &[u8]) -> Result<usize, Refusal> {
    let script_name = script_name.strip_suffix(b"/").unwrap_or(script_name);
    if script_name.is_empty() || path == b"*" {
        return Ok(0);
    }
    match path.strip_prefix(script_name) {
        Some([] | [b'/', ..]) => Ok(script_name.len()),
        _ => Err(Refusal::new(500, "the path does not begin with SCRIPT_NAME")),
    }
}
