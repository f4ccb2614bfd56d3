//! The rows about ASGI applications: their event loop, and what they are told.

use super::milliseconds;
use super::row::{Kind, Row, Section};
use contract::settings::{EventLoop, Lifespan};

/// Settings about ASGI applications.
pub(super) static ASGI: &[Row] = &[
    Row::new(
        "loop",
        &["--loop", "--asgi-loop"],
        Kind::Choice(&["auto", "asyncio", "uvloop"], |s, word| s.asgi.event_loop = event_loop(word)),
        "event loop: asyncio, uvloop, or auto: uvloop where it is installed",
    )
    .alias("asgi_loop")
    .default("auto")
    .within(Section::Asgi),
    Row::new(
        "lifespan",
        &["--lifespan", "--asgi-lifespan"],
        Kind::Choice(&["auto", "on", "off"], |s, word| s.asgi.lifespan = lifespan(word)),
        "tell the application that its worker starts and ends: on, off, or auto: if it wants to know",
    )
    .alias("asgi_lifespan")
    .default("auto")
    .within(Section::Asgi),
    Row::new(
        "asgi_disconnect_grace_period",
        &["--asgi-disconnect-grace-period"],
        Kind::Duration(|s, time| s.asgi.disconnect_grace = milliseconds(time)),
        "time that the task of a request may go on after its client has gone away",
    )
    .default("3")
    .within(Section::Asgi),
    Row::new(
        "root_path",
        &["--root-path"],
        Kind::Text(|s, text| s.asgi.root_path = text.trim_end_matches('/').to_owned()),
        "what a proxy in front has taken off the beginning of the paths",
    )
    .within(Section::Asgi),
    Row::new(
        "websocket_max_message_size",
        &["--websocket-max-message-size", "--ws-max-size"],
        Kind::Size(|s, bytes| s.asgi.websocket.message = bytes),
        "largest message of a websocket's client, such as 16M; a larger one is answered with 1009; 0: no limit",
    )
    .default("16777216")
    .within(Section::Asgi),
    Row::new(
        "websocket_ping_interval",
        &["--websocket-ping-interval", "--ws-ping-interval"],
        Kind::Duration(|s, time| s.asgi.websocket.ping_interval = milliseconds(time)),
        "time after which a websocket's client is pinged, again and again; 0: never",
    )
    .default("20")
    .within(Section::Asgi),
    Row::new(
        "websocket_ping_timeout",
        &["--websocket-ping-timeout", "--ws-ping-timeout"],
        Kind::Duration(|s, time| s.asgi.websocket.ping_timeout = milliseconds(time)),
        "time that its answer may take; 0: no limit",
    )
    .default("20")
    .within(Section::Asgi),
    Row::new(
        "websocket_compression",
        &["--websocket-compression", "--ws-per-message-deflate"],
        Kind::Choice(&["on", "off", "true", "false"], |s, word| {
            s.asgi.websocket.compression = matches!(word, "on" | "true");
        }),
        "compress messages of websockets whose clients can do that",
    )
    .default("on")
    .within(Section::Asgi),
];

fn event_loop(word: &str) -> EventLoop {
    match word {
        "asyncio" => EventLoop::Asyncio,
        "uvloop" => EventLoop::Uvloop,
        _ => EventLoop::Auto,
    }
}

fn lifespan(word: &str) -> Lifespan {
    match word {
        "on" => Lifespan::On,
        "off" => Lifespan::Off,
        _ => Lifespan::Auto,
    }
}
