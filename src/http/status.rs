//! What the status codes are called: the registry of RFC 9110, section 16.2.1. Clients ignore it, people do not.

/// `200 OK`, written without a formatter. What is no status becomes one that no response may have.
pub fn status_line(line: &mut [u8; 48], status: u16) -> &[u8] {
    let reason = reason(status).as_bytes();
    let digits = [status / 100, status / 10 % 10, status % 10];
    for (place, digit) in line.iter_mut().zip(digits) {
        *place = b'0' + u8::try_from(digit).unwrap_or(u8::MAX - b'0');
    }
    line[3] = b' ';
    let end = 4 + reason.len();
    line[4..end].copy_from_slice(reason);
    &line[..end]
}

/// The reason phrase of a status; empty where nobody registered it.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300..400 => redirection(status),
        400..500 => client_error(status),
        500..600 => server_error(status),
        _ => "",
    }
}

fn redirection(status: u16) -> &'static str {
    match status {
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        _ => "",
    }
}

fn client_error(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        _ => "",
    }
}

fn server_error(status: u16) -> &'static str {
    match status {
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        511 => "Network Authentication Required",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_line() {
        let mut line = [0; 48];
        for status in 100..1000 {
            assert_eq!(status_line(&mut line, status), format!("{status} {}", reason(status)).as_bytes());
        }
        assert_eq!(status_line(&mut line, 99), b"099 ");
        assert!(
            [1000, 2000, u16::MAX].iter().all(|status| !status_line(&mut line, *status)[0].is_ascii_digit())
        );
    }
}
