//! The rows about the socket that rcornctl speaks to.

use super::row::{Kind, Row, Section};

/// Settings about the control socket. The switch comes last: whatever names a socket, it is off then.
pub(super) static CONTROL: &[Row] = &[
    Row::new(
        "control_socket",
        &["--control-socket"],
        Kind::Path(|s, path| s.control_socket = Some(path)),
        "unix socket for rcornctl; else control.sock in the $RUNTIME_DIRECTORY of systemd, else none",
    )
    .moved_by("RUNTIME_DIRECTORY", "{}/control.sock")
    .within(Section::Process),
    Row::new(
        "control_socket_mode",
        &["--control-socket-mode"],
        Kind::Mode(|s, mode| s.control_socket_mode = mode),
        "file mode of that socket, octal",
    )
    .default("0600")
    .within(Section::Process),
    Row::new(
        "control_socket_owner",
        &["--control-socket-owner"],
        Kind::Text(|s, owner| s.control_socket_owner = Some(owner.to_owned())),
        "whose it is: USER, USER:GROUP or :GROUP; else the one's who starts rcorn",
    )
    .within(Section::Process),
    Row::new(
        "control_socket_disable",
        &["--no-control-socket"],
        Kind::Switch(&[], |s, word| {
            if word == "on" {
                s.control_socket = None;
            }
        }),
        "have no such socket",
    )
    .default("off")
    .within(Section::Process),
];
