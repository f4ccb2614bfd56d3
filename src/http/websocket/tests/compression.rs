//! permessage-deflate with a client that has a compressor of its own: Autobahn's sections 12 and 13, the examples of
//! RFC 7692, and what costs more than it says.

use super::*;
use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush};

const PLAIN: &str = "permessage-deflate";

/// A client that compresses all it says, and keeps to the windows that were agreed on.
struct Client {
    session: Session,
    deflate: Deflate,
    inflate: Inflate,
    takeover: bool,
    server_takeover: bool,
    server_bits: u8,
}

impl Client {
    fn new(offer: &str) -> Self {
        let bits = |name: &str| {
            let value = offer.split_once(name)?.1.strip_prefix('=')?;
            value.split(';').next()?.trim().parse::<u8>().ok()
        };
        let smaller = |bits: Option<u8>, usual: u8| bits.map_or(usual, |bits| bits.min(12));
        let client_bits = if offer.contains("client_max_window_bits") { 12 } else { 15 };
        let client_bits = smaller(bits("client_max_window_bits"), client_bits);
        let server_bits = smaller(bits("server_max_window_bits"), 15);
        Self {
            session: open(Some(offer), &quiet()),
            deflate: Deflate::new(6, false, client_bits),
            inflate: Inflate::new(false, server_bits),
            takeover: !offer.contains("client_no_context_takeover"),
            server_takeover: !offer.contains("server_no_context_takeover"),
            server_bits,
        }
    }

    fn pack(&mut self, message: &[u8]) -> Vec<u8> {
        if message.is_empty() {
            return vec![0]; // 7.2.3.6
        }
        if !self.takeover {
            self.deflate.reset();
        }
        let mut packed = vec![0; message.len() + message.len() / 8 + 100];
        let before = self.deflate.total_out();
        self.deflate.compress(message, &mut packed, DeflateFlush::SyncFlush).unwrap();
        packed.truncate((self.deflate.total_out() - before) as usize);
        assert!(packed.ends_with(&[0, 0, 0xff, 0xff]));
        packed.truncate(packed.len() - 4);
        packed
    }

    fn unpack(&mut self, packed: &[u8], length: usize) -> Vec<u8> {
        if !self.server_takeover {
            self.inflate = Inflate::new(false, self.server_bits);
        }
        let mut message = vec![0; length + 1];
        let before = self.inflate.total_out();
        let whole = [packed, &[0, 0, 0xff, 0xff]].concat();
        self.inflate.decompress(&whole, &mut message, InflateFlush::SyncFlush).unwrap();
        message.truncate((self.inflate.total_out() - before) as usize);
        message
    }

    /// Says a message in fragments of that length, nought for one frame, and hears the same again.
    fn echo(&mut self, opcode: u8, message: &[u8], fragment: usize) {
        let packed = self.pack(message);
        let length = if fragment == 0 { packed.len().max(1) } else { fragment };
        let last = packed.len().div_ceil(length) - 1;
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        for (index, part) in packed.chunks(length).enumerate() {
            let first = if index == 0 { 0x40 | opcode } else { 0 } | if index == last { 0x80 } else { 0 };
            bytes.extend(frame(first, part).masked(KEY));
        }
        let mut input = &bytes[..];
        let heard = match self.session.receive(&mut input, &mut out) {
            Some(Event::Text(text)) => text.as_bytes().to_vec(),
            Some(Event::Binary(bytes)) => bytes.to_vec(),
            other => panic!("{other:?}"),
        };
        assert!(heard == message && input.is_empty() && out.is_empty());
        self.hear(opcode, message);
    }

    fn hear(&mut self, opcode: u8, message: &[u8]) {
        let mut out = Vec::new();
        match opcode {
            1 => self.session.send_text(std::str::from_utf8(message).unwrap(), &mut out),
            _ => self.session.send_binary(message, &mut out),
        }
        .unwrap();
        let Frame { first, payload } = Frame::read(&mut &out[..]);
        assert_eq!(first & !0x40, 0x80 | opcode);
        assert!(payload.len() <= message.len());
        let heard = if first & 0x40 == 0 { payload } else { self.unpack(&payload, message.len()) };
        assert!(heard == message, "{} became {}", shown(message), shown(&heard));
    }
}

/// Bytes that look like JSON, or like nothing at all.
fn sample(length: usize, number: usize, random: bool) -> Vec<u8> {
    let mut state = number as u64 + 1;
    let mut bytes = Vec::with_capacity(length + 64);
    while bytes.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match random {
            true => bytes.extend((state >> 24).to_be_bytes()),
            false => bytes
                .extend(format!("{{\"id\": {}, \"name\": \"user\", \"on\": true}}, ", state >> 44).bytes()),
        }
    }
    bytes.truncate(length);
    bytes
}

/// The sizes of 12.x.1 to 12.x.18 and 13.x.1 to 13.x.18, of which the suite sends a thousand each.
#[test]
fn sections_12_and_13() {
    let sizes = [16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131_072].map(|size| (size, 0));
    let fragmented = [(8192, 256), (65536, 256), (131_072, 1024), (131_072, 4096), (131_072, 32768)];
    for offer in [
        PLAIN,                                                                        // 12, 13.1, 13.7
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover", // 13.2
        "permessage-deflate; client_max_window_bits; server_max_window_bits=9",       // 13.3
        "permessage-deflate; client_max_window_bits; server_max_window_bits=15",      // 13.4
        "permessage-deflate; server_no_context_takeover; client_max_window_bits=9",   // 13.5
        "permessage-deflate; server_no_context_takeover; server_max_window_bits=15",  // 13.6
        "permessage-deflate; client_max_window_bits=10; server_max_window_bits=10",
    ] {
        let mut client = Client::new(offer);
        for (size, fragment) in sizes.into_iter().chain(fragmented) {
            for number in 0..3 {
                client.echo(1, &sample(size, number, false), fragment);
                client.echo(2, &sample(size, number, true), fragment);
            }
        }
        client.echo(1, b"", 0);
    }
}

/// More connections than a thread keeps compressors, in turns: none hears of another's window.
#[test]
fn compressors_are_shared() {
    let mut clients: Vec<Client> = (0..20)
        .map(|index| {
            Client::new(if index % 3 == 0 { "permessage-deflate; server_max_window_bits=9" } else { PLAIN })
        })
        .collect();
    for round in 0..20 {
        for (index, client) in clients.iter_mut().enumerate() {
            // Some speak more often than others, and some what cannot be compressed.
            if round % (index % 5 + 1) == 0 {
                let mut message = format!("this is client {index}, ").repeat(8).into_bytes();
                message.extend(sample(300 * index, round, round % 4 == 3));
                client.hear(2, &message);
            }
        }
    }
}

/// A window that is taken over is worth it, also when somebody else had the compressor meanwhile.
#[test]
fn what_was_said_before_is_referred_to() {
    let packed = |client: &mut Client, message: &str| {
        let mut out = Vec::new();
        client.session.send_text(message, &mut out).unwrap();
        Frame::read(&mut &out[..]).payload.len()
    };
    let message = String::from_utf8(sample(1000, 7, false)).unwrap();
    let (mut one, mut two) =
        (Client::new(PLAIN), Client::new("permessage-deflate; server_no_context_takeover"));
    let first = packed(&mut one, &message);
    assert_eq!(packed(&mut two, &message), first);
    assert!(packed(&mut one, &message) < first / 5);
    for _ in 0..10 {
        packed(
            &mut Client::new(PLAIN),
            "somebody else says what is long enough to be compressed".repeat(5).as_str(),
        );
    }
    assert!(packed(&mut one, &message) < first / 5);
    assert_eq!(packed(&mut two, &message), first, "each message on its own");
}

#[test]
fn short_messages_are_not_compressed() {
    let (mut session, mut out) = (open(Some(PLAIN), &quiet()), Vec::new());
    session.send_text(&"a".repeat(127), &mut out).unwrap();
    assert_eq!(Frame::read(&mut &out[..]), text("a".repeat(127)));
}

/// RFC 7692, 7.2.3.
#[test]
fn the_examples_of_the_rfc() {
    let compressed = |payload: &[u8]| frame(0xc1, payload);
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    for (section, frames, heard) in [
        ("7.2.3.1", vec![compressed(hello)], "text:Hello "),
        ("7.2.3.1", vec![frame(0x41, &hello[..3]), end(&hello[3..])], "text:Hello "),
        ("7.2.3.2", vec![compressed(hello), compressed(hello)], "text:Hello text:Hello "),
        ("7.2.3.2", vec![compressed(hello), compressed(b"\xf2\x00\x11\x00\x00")], "text:Hello text:Hello "),
        ("7.2.3.3", vec![compressed(b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00")], "text:Hello "),
        ("7.2.3.4", vec![compressed(b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00")], "text:Hello "),
        ("7.2.3.5", vec![compressed(b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")], "text:Hello "),
        ("7.2.3.6", vec![compressed(b"\x00")], "text: "),
        ("none", vec![compressed(b"")], "text: "),
        ("6.2", vec![text("Hello"), compressed(hello)], "text:Hello text:Hello "),
        ("5", vec![frame(0x41, hello), ping("?"), end("")], "pong:? text:Hello "),
    ] {
        assert_eq!(play(Some(PLAIN), &quiet(), &stream(&frames)), heard, "{section}");
    }
}

#[test]
fn what_is_wrong_in_a_compressed_message() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    for (what, frames, heard) in [
        ("its window was not taken over", vec![frame(0xc1, b"\xf2\x00\x11\x00\x00")], "close:1007 "),
        ("cut off", vec![frame(0xc1, &hello[..4])], "close:1007 "),
        ("cut off, and it goes on", vec![frame(0xc1, &hello[..4]), text("Hello")], "close:1007 "),
        (
            "its end was not taken off",
            vec![frame(0xc1, [&hello[..], b"\0\0\xff\xff"].concat())],
            "close:1007 ",
        ),
        ("no deflate", vec![frame(0xc1, b"\xff\xff\xff\xff")], "close:1007 "),
        ("a continuation says so", vec![frame(0x41, hello), frame(0xc0, hello)], "close:1002 "),
        ("a ping says so", vec![frame(0xc9, hello)], "close:1002 "),
        ("another reserved bit", vec![frame(0xe1, hello)], "close:1002 "),
    ] {
        assert_eq!(play(Some(PLAIN), &quiet(), &stream(&frames)), heard, "{what}");
    }
    let mut client = Client::new(PLAIN);
    let packed = client.pack(b"text\xff and what follows it");
    assert_eq!(play(Some(PLAIN), &quiet(), &stream(&[frame(0xc1, &packed)])), "close:1007 ");
    assert_eq!(
        play(Some(PLAIN), &quiet(), &stream(&[frame(0x41, &packed)])),
        "close:1007 ",
        "before it is whole"
    );
}

#[test]
fn inflating_ends_at_the_limit() {
    let limited = Config { message_limit: 1000, ..quiet() };
    let log = |message: &[u8]| {
        let packed = Client::new(PLAIN).pack(message);
        play(Some(PLAIN), &limited, &stream(&[frame(0xc2, packed)]))
    };
    assert_eq!(log(&[b'a'; 1000]), "binary:aaaa..1000 ");
    assert_eq!(log(&[b'a'; 1001]), "close:1009 ");
    assert_eq!(log(&[b'a'; 1_000_000]), "close:1009 ");
    assert!(
        log(&sample(1000, 1, true)).starts_with("binary:"),
        "what cannot be compressed has become longer"
    );
    assert_eq!(
        play(Some(PLAIN), &limited, &frame(0xc2, [0; 2000]).masked(KEY)[..8]),
        "close:1009 ",
        "at once"
    );
}

/// A thousandth of it arrives; no more is inflated than the limit.
#[test]
fn a_bomb_costs_no_more_than_the_limit() {
    let bomb = frame(0xc2, Client::new(PLAIN).pack(&vec![0; 64 << 20])).masked(KEY);
    let spent = |limit: usize, heard: &str| {
        let mut session = open(Some(PLAIN), &Config { message_limit: limit, ..quiet() });
        let began = std::time::Instant::now();
        assert!(hear(&mut session, &bomb).starts_with(heard));
        began.elapsed()
    };
    let all = spent(0, "binary:");
    let some = spent(1 << 20, "close:1009 ");
    assert!(some * 4 < all, "{some:?} of {all:?}, for a 64th");
}

/// Each one makes the window be set up again, which costs a quarter of a microsecond.
#[test]
fn a_message_of_many_last_blocks() {
    let flushed = [&Client::new(PLAIN).pack(&sample(1 << 16, 1, true))[..], b"\0\0\xff\xff"].concat();
    let bytes = [&flushed[..], &b"\x03\x00".repeat(100_000), b"\0"].concat();
    let heard = hear(&mut open(Some(PLAIN), &quiet()), &frame(0xc2, &bytes).masked(KEY));
    assert!(heard.starts_with("binary:") && heard.ends_with("..65536 "), "{heard}");
}
