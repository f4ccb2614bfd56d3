//! Target `responses`: whatever an application does with its reply, the client reads one message, and that one.
//!
//! - Each head is well-formed, has the status and the fields that were accepted, in order, and no others but ours.
//! - The body is framed once, and ends where the client thinks it does; it is what was written, and no more than that
//!   was promised. What is not whole does not look so.
//! - Where the connection is kept nothing is left over, and the client knows that it is kept.
//!
//! The message is a script: its parts are separated by 0x1f, and begin with a letter (`play`).

use super::message::{Message, read_message};
use super::{shown, split};
use crate::head::Version;
use crate::output::Output;
use crate::reply::Reply;
use crate::response::Asked;
use std::cell::RefCell;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

const COMMON: &[u8] = b"\r\nServer: rcorn\r\nDate: today\r\n";
const PART: u8 = 0x1f;
const FILE: &[u8] = b"what is in the file";
/// Between name and value.
const PAIR: u8 = 0x1e;

/// What is ours alone to say.
const OURS: [&str; 11] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// What the application was allowed to say.
#[derive(Debug, Default)]
struct Said {
    status: Vec<u8>,
    fields: Fields,
    hints: Vec<Fields>,
    body: Vec<u8>,
}

/// Tries `data`.
pub fn responses(data: &[u8]) {
    let Some((choice, _, script)) = split(data) else { return };
    let asked = Asked {
        version: if choice & 1 == 0 { Version::Http11 } else { Version::Http10 },
        is_head: choice & 2 != 0,
        keep_alive: choice & 4 == 0,
    };
    WORLD.with_borrow_mut(|(ours, client, file)| {
        let (mut output, mut buffer, mut said) = (Output::default(), Vec::new(), Said::default());
        let mut course = crate::reply::Said::nothing(asked, 1000);
        let mut reply = Reply::new((ours.as_fd(), &mut output), &mut buffer, COMMON, &mut course);
        let mut bytes = Vec::new();
        for (number, part) in script.split(|byte| *byte == PART).enumerate() {
            play(part, &mut reply, &mut said, file);
            if number % 64 == 63 {
                drain(client, &mut bytes);
            }
        }
        if !reply.is_whole() {
            fail(&mut reply, &mut said);
        }
        let ended =
            Ended { whole: course.is_whole(), keeps: course.keeps_connection(), torn: course.is_torn() };
        assert!(output.is_empty(), "so little must find room");
        drain(client, &mut bytes);
        check(&bytes, &said, asked, ended);
    });
}

thread_local! {
    /// One pair of sockets for all inputs, as what is written is read again at once; and a file.
    static WORLD: RefCell<(UnixStream, UnixStream, File)> = {
        let (ours, client) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        client.set_nonblocking(true).unwrap();
        let mut file = sys::spool::unnamed_file(&std::env::temp_dir()).unwrap();
        file.write_all(FILE).unwrap();
        RefCell::new((ours, client, file))
    };
}

/// Reads what has been written, before there is no room for more.
fn drain(client: &mut UnixStream, bytes: &mut Vec<u8>) {
    let error = client.read_to_end(bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

/// One thing that an application may do.
fn play(part: &[u8], reply: &mut Reply<'_>, said: &mut Said, file: &File) {
    let Some((what, text)) = part.split_first() else { return };
    let pair = text.iter().position(|byte| *byte == PAIR);
    let (name, value) = pair.map_or((text, &b""[..]), |at| (&text[..at], &text[at + 1..]));
    match what {
        b's' if reply.begin(text).is_ok() => {
            (said.status, said.fields) = (text.to_vec(), Vec::new());
        }
        b'h' if reply.header(name, value).is_ok() => said.fields.push((name.to_vec(), value.to_vec())),
        b'e' => {
            let begun_late = reply.is_sent();
            if reply.hint([(name, value)]).is_ok() && !begun_late {
                said.hints.push(vec![(name.to_vec(), value.to_vec())]);
            }
        }
        b'w' if reply.write(text, false).is_ok() => said.body.extend_from_slice(text),
        b'l' if reply.write(text, true).is_ok() => said.body.extend_from_slice(text),
        b'F' if reply.takes_file() => {
            let length = text.len().min(FILE.len());
            reply.write_file(file.as_fd(), 0, length as u64).unwrap();
            said.body.extend_from_slice(&FILE[..length]);
        }
        b'f' => {
            let _ = reply.finish();
        }
        b'x' => fail(reply, said),
        _ => {}
    }
}

/// As the loop does for an application that has failed.
fn fail(reply: &mut Reply<'_>, said: &mut Said) {
    if !reply.is_sent() {
        said.status = b"500 Internal Server Error".to_vec();
        said.fields = vec![(b"Content-Type".to_vec(), b"text/plain; charset=utf-8".to_vec())];
        said.body = b"Internal Server Error\n".to_vec();
    }
    reply.fail(500);
}

#[derive(Clone, Copy, Debug)]
struct Ended {
    whole: bool,
    keeps: bool,
    torn: bool,
}

fn check(bytes: &[u8], said: &Said, asked: Asked, ended: Ended) {
    let context = || format!("{said:?} {asked:?} {ended:?}: {}", shown(bytes));
    let mut rest = bytes;
    if asked.version == Version::Http11 {
        for hints in &said.hints {
            let hint = read_message(&mut rest, true).unwrap_or_else(|why| panic!("{why}: {}", context()));
            assert_eq!(hint.status, b"103 Early Hints", "{}", context());
            assert_eq!(hint.fields, theirs(hints), "{}", context());
        }
    }
    let message = read_message(&mut rest, asked.is_head).unwrap_or_else(|why| panic!("{why}: {}", context()));
    assert_eq!(message.status.trim_ascii_end(), said.status.trim_ascii_end(), "{}", context());
    let common = [(b"Server".to_vec(), b"rcorn".to_vec()), (b"Date".to_vec(), b"today".to_vec())];
    assert_eq!(message.fields, [&common[..], &theirs(&said.fields)].concat(), "{}", context());
    check_end(&message, rest, said, asked, ended).unwrap_or_else(|why| panic!("{why}: {}", context()));
}

/// The fields that are not ours alone, without blanks around the values.
fn theirs(fields: &Fields) -> Fields {
    let ours = |name: &[u8]| OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()));
    let kept = fields.iter().filter(|(name, _)| !ours(name));
    kept.map(|(name, value)| (name.clone(), super::oracle::trim(value).to_vec())).collect()
}

/// Where the message ends, for the client and for us.
fn check_end(
    message: &Message,
    rest: &[u8],
    said: &Said,
    asked: Asked,
    ended: Ended,
) -> Result<(), &'static str> {
    let ensure = |holds: bool, why: &'static str| if holds { Ok(()) } else { Err(why) };
    let closes = message.closes(asked.version == Version::Http11);
    let no_body = message.has_no_body(asked.is_head);
    ensure(said.body.starts_with(&message.body), "another body")?;
    ensure(!no_body || message.body.is_empty(), "a body where none may be")?;
    ensure(rest.is_empty(), "more follows than the message")?;
    ensure(message.whole || !ended.whole, "the client waits for more than there is")?;
    ensure(ended.whole || !(message.in_chunks && message.whole), "what is broken off looks whole")?;
    ensure(
        !message.lasts_to_the_end || ended.whole || ended.torn,
        "what is torn is not told from what is whole",
    )?;
    ensure(!ended.keeps || !closes && !message.lasts_to_the_end, "it is kept, and the client thinks not")?;
    ensure(ended.keeps || closes || !ended.whole, "it is closed, and the client thinks not")?;
    let told_all = !ended.whole || no_body || message.has_length() || message.body == said.body;
    ensure(told_all, "a part is missing")
}
