//! Listens on the port of 127.0.0.1 that is named, or on a free one, and says what it hears. Its first line tells the
//! port. See `tests/websocket`.

use std::io::Write;
use std::net::TcpListener;

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?.port())?;
    for stream in listener.incoming() {
        let stream = stream?;
        // Clients may leave as they like.
        std::thread::spawn(move || http::websocket::echo::serve(stream));
    }
    Ok(())
}
