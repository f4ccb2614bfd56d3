//! What the worker was told, in the words of the HTTP side, which does not know the contract.

use crate::access;
use contract::network::Network;
use contract::settings::{ClientField, TrustSettings, Underscores, WorkerSettings};
use http::Networks;

/// The limits and manners of the HTTP side.
pub(crate) fn of(settings: &WorkerSettings) -> http::Config {
    let needs = access::needs(settings);
    let settings = &settings.http;
    http::Config {
        beat: settings.beat,
        keep_alive: settings.keep_alive,
        head_timeout: settings.head_timeout,
        body_timeout: settings.body_timeout,
        write_timeout: settings.write_timeout,
        request_line: settings.request_line,
        request_fields: settings.request_fields,
        request_field_size: settings.request_field_size,
        body: settings.body,
        connections: settings.connections,
        spool_directories: settings.spool_directories.iter().map(Into::into).collect(),
        trust: trust(&settings.trust),
        permits: http::Permits {
            obsolete_folding: settings.permits.obsolete_folding,
            header_spaces: settings.permits.header_spaces,
            unconventional_method: settings.permits.unconventional_method,
            unconventional_version: settings.permits.unconventional_version,
            casefold_method: settings.permits.casefold_method,
        },
        measures_arrival: settings.measures_arrival || needs.queue,
        server_name: "rcorn".to_owned(),
        keeps_heads: needs.response_head,
    }
}

fn trust(settings: &TrustSettings) -> http::Trust {
    http::Trust {
        proxies: networks(&settings.proxies),
        scheme_fields: settings.scheme_fields.clone(),
        forwarder_fields: settings.forwarder_fields.clone(),
        underscores: match settings.underscores {
            Underscores::Drop => http::Underscores::Drop,
            Underscores::Refuse => http::Underscores::Refuse,
            Underscores::Keep => http::Underscores::Keep,
        },
        client_field: match settings.client_field {
            ClientField::None => http::ClientField::None,
            ClientField::XForwardedFor => http::ClientField::XForwardedFor,
            ClientField::Forwarded => http::ClientField::Forwarded,
        },
        script_name: settings.script_name.clone(),
        preamble_v1: settings.preamble_v1,
        preamble_v2: settings.preamble_v2,
        preamble_senders: networks(&settings.preamble_senders),
    }
}

fn networks(networks: &[Network]) -> Networks {
    Networks::new(networks.iter().map(|network| (network.address, network.bits)))
}
