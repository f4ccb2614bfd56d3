//! The rows about proxies in front, and about what is let pass of requests in an old or odd style.

use super::Settings;
use super::row::{Kind, Row, Section};
use contract::network::Network;
use contract::settings::{ClientField, Underscores};

/// Fields that tell the scheme, as Gunicorn has them.
const SCHEME_FIELDS: &str = "X-FORWARDED-PROTOCOL=ssl,X-FORWARDED-PROTO=https,X-FORWARDED-SSL=on";

/// Settings about proxies.
pub(super) static PROXY: &[Row] = &[
    Row::new(
        "forwarded_allow_ips",
        &["--forwarded-allow-ips"],
        Kind::List(true, |s, text| add_networks(&mut s.trust.proxies, text)),
        "proxies whose header fields are believed: addresses, networks, or *; unix sockets always",
    )
    .default("127.0.0.1,::1")
    .moved_by("FORWARDED_ALLOW_IPS", "{}")
    .within(Section::Proxies),
    Row::new(
        "forwarded_for",
        &["--forwarded-for"],
        Kind::Choice(&["off", "x-forwarded-for", "forwarded"], |s, word| {
            s.trust.client_field = client_field(word);
        }),
        "field of trusted proxies that REMOTE_ADDR is read from: x-forwarded-for, forwarded, or off",
    )
    .default("off")
    .within(Section::Proxies),
    Row::new(
        "secure_scheme_headers",
        &[],
        Kind::Pairs(add_scheme_field),
        "fields of trusted proxies that mean https, with their values",
    )
    .default(SCHEME_FIELDS)
    .within(Section::Proxies),
    Row::new(
        "forwarder_headers",
        &["--forwarder-headers"],
        Kind::List(true, |s, name| {
            s.trust.forwarder_fields.push(name.to_owned());
            Ok(())
        }),
        "fields with an underscore that trusted proxies may send; * is all",
    )
    .default("SCRIPT_NAME,PATH_INFO")
    .within(Section::Proxies),
    Row::new(
        "header_map",
        &["--header-map"],
        Kind::Choice(&["drop", "refuse", "dangerous"], |s, word| s.trust.underscores = underscores(word)),
        "what becomes of other fields with an underscore: drop, refuse, or dangerous: passed on",
    )
    .default("drop")
    .within(Section::Proxies),
    Row::new(
        "script_name",
        &["--script-name"],
        Kind::Text(|s, text| text.clone_into(&mut s.trust.script_name)),
        "path that the application is mounted at, unless a trusted proxy sends SCRIPT_NAME",
    )
    .moved_by("SCRIPT_NAME", "{}")
    .within(Section::Proxies),
    Row::new(
        "proxy_protocol",
        &["--proxy-protocol"],
        Kind::Switch(&["v1", "v2", "auto"], |s, word| {
            s.trust.preamble_v1 = matches!(word, "on" | "auto" | "v1");
            s.trust.preamble_v2 = matches!(word, "on" | "auto" | "v2");
        }),
        "PROXY headers that are read before the first request: v1, v2, auto (both, as is on), or off",
    )
    .default("off")
    .within(Section::Proxies),
    Row::new(
        "proxy_allow_ips",
        &["--proxy-allow-from"],
        Kind::List(true, |s, text| add_networks(&mut s.trust.preamble_senders, text)),
        "who may send PROXY headers: addresses, networks, or *; unix sockets always",
    )
    .default("127.0.0.1,::1")
    .within(Section::Proxies),
    Row::new(
        "permit_obsolete_folding",
        &["--permit-obsolete-folding"],
        Kind::Switch(&[], |s, word| s.permits.obsolete_folding = word == "on"),
        "take header fields that go on in the next line",
    )
    .default("off")
    .within(Section::Permits),
    Row::new(
        "strip_header_spaces",
        &["--strip-header-spaces"],
        Kind::Switch(&[], |s, word| s.permits.header_spaces = word == "on"),
        "take blanks between a field's name and its colon; dangerous behind a proxy",
    )
    .default("off")
    .within(Section::Permits),
    Row::new(
        "permit_unconventional_http_method",
        &["--permit-unconventional-http-method"],
        Kind::Switch(&[], |s, word| s.permits.unconventional_method = word == "on"),
        "take methods with lower case or #, shorter than 3 or longer than 20",
    )
    .default("off")
    .within(Section::Permits),
    Row::new(
        "permit_unconventional_http_version",
        &["--permit-unconventional-http-version"],
        Kind::Switch(&[], |s, word| s.permits.unconventional_version = word == "on"),
        "take versions outside HTTP/1.x, as the nearest one",
    )
    .default("off")
    .within(Section::Permits),
    Row::new(
        "casefold_http_method",
        &["--casefold-http-method"],
        Kind::Switch(&[], |s, word| s.permits.casefold_method = word == "on"),
        "make methods upper case",
    )
    .default("off")
    .within(Section::Permits),
];

fn add_networks(networks: &mut Vec<Network>, text: &str) -> Result<(), String> {
    if text == "*" {
        networks.extend(Network::everything());
    } else {
        networks.push(Network::parse(text)?);
    }
    Ok(())
}

fn add_scheme_field(settings: &mut Settings, text: &str) -> Result<(), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            settings.trust.scheme_fields.push((name.to_owned(), value.to_owned()));
            Ok(())
        }
        _ => Err(format!("expected NAME=VALUE, found {text:?}")),
    }
}

fn client_field(word: &str) -> ClientField {
    match word {
        "x-forwarded-for" => ClientField::XForwardedFor,
        "forwarded" => ClientField::Forwarded,
        _ => ClientField::None,
    }
}

fn underscores(word: &str) -> Underscores {
    match word {
        "refuse" => Underscores::Refuse,
        "dangerous" => Underscores::Keep,
        _ => Underscores::Drop,
    }
}
