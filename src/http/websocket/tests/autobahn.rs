//! The cases of Autobahn's test suite that are about frames, text, closing and limits, with their numbers. Each runs in
//! several ways to cut the bytes, which its variants "in chops" and "octet-wise" are about. 12 and 13 are in
//! `compression`; the suite itself runs with `tests/websocket/autobahn.py`.

use super::*;

fn check(number: &str, frames: &[Frame], expected: &str) {
    assert_eq!(play(None, &quiet(), &stream(frames)).trim_end(), expected, "case {number}");
}

fn x(length: usize) -> String {
    "*".repeat(length)
}

#[test]
fn framing() {
    for (variant, length) in [(1, 0), (2, 125), (3, 126), (4, 127), (5, 128), (6, 65535), (7, 65536)] {
        let star = shown(x(length).as_bytes());
        check(&format!("1.1.{variant}"), &[text(x(length))], &format!("text:{star}"));
        check(&format!("1.2.{variant}"), &[binary(x(length))], &format!("binary:{star}"));
    }
}

#[test]
fn pings_and_pongs() {
    let odd = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
    check("2.1", &[ping("")], "pong:");
    check("2.2", &[ping("Hello, world!")], "pong:Hello, world!");
    check("2.3", &[ping(odd)], r"pong:\x00\xff\xfe\xfd\xfc\xfb\x00\xff");
    check("2.4", &[ping(x(125))], "pong:****..125");
    check("2.5", &[ping(x(126))], "close:1002");
    check("2.7", &[pong("")], "");
    check("2.8", &[pong("unsolicited")], "");
    check("2.9", &[pong("unsolicited"), ping("Hello")], "pong:Hello");
    let ten: Vec<Frame> = (0..10).map(|index| ping(format!("payload-{index}"))).collect();
    let pongs: Vec<String> = (0..10).map(|index| format!("pong:payload-{index}")).collect();
    check("2.10", &ten, &pongs.join(" "));
}

#[test]
fn reserved_bits() {
    let hello = "Hello, world!";
    check("3.1", &[frame(0x91, hello)], "close:1002");
    check("3.2", &[text(hello), frame(0xa1, hello), ping("")], "text:Hello, world! close:1002");
    check("3.3", &[text(hello), frame(0xb1, hello), ping("")], "text:Hello, world! close:1002");
    check("3.4", &[text(hello), frame(0xc1, hello), ping("")], "text:Hello, world! close:1002");
    check("3.5", &[frame(0xd2, hello)], "close:1002");
    check("3.6", &[frame(0xe9, hello)], "close:1002");
    check("3.7", &[frame(0xf8, "")], "close:1002");
}

#[test]
fn opcodes() {
    let (hello, heard) = (text("Hello, world!"), "text:Hello, world! close:1002");
    for (section, first) in [(1, 3), (2, 11)] {
        let reserved = |index: u8| frame(0x80 | (first + index), if index % 2 == 1 { "payload" } else { "" });
        check(&format!("4.{section}.1"), &[reserved(0)], "close:1002");
        check(&format!("4.{section}.2"), &[reserved(1)], "close:1002");
        for index in 2..5 {
            let frames = [hello.clone(), reserved(index), ping("")];
            check(&format!("4.{section}.{}", index + 1), &frames, heard);
        }
    }
}

#[test]
fn fragmentation() {
    let two = [begin("fragment1"), end("fragment2")];
    let hello = text("Hello, world!");
    check("5.1", &[frame(0x09, "fragment1"), end("fragment2")], "close:1002");
    check("5.2", &[frame(0x0a, "fragment1"), end("fragment2")], "close:1002");
    check("5.3 to 5.5", &two, "text:fragment1fragment2");
    let with_ping = [begin("fragment1"), ping("ping"), end("fragment2")];
    check("5.6 to 5.8", &with_ping, "pong:ping text:fragment1fragment2");
    check("5.9 to 5.11", &[end("nothing to continue"), hello.clone()], "close:1002");
    check("5.12 to 5.14", &[go_on("nothing to continue"), hello.clone()], "close:1002");
    let then_nothing = [two[0].clone(), two[1].clone(), go_on("fragment3"), text("fragment4")];
    check("5.15", &then_nothing, "text:fragment1fragment2 close:1002");
    check("5.16", &[go_on("fragment1"), begin("fragment2"), end("fragment3")], "close:1002");
    check("5.17", &[end("fragment1"), begin("fragment2"), end("fragment3")], "close:1002");
    check("5.18", &[begin("fragment1"), text("fragment2")], "close:1002");
    let with_pings = [
        begin("1"),
        go_on("2"),
        ping("pongme 1"),
        go_on("3"),
        ping("pongme 2"),
        go_on("4"),
        ping("pongme 3"),
        end("5"),
    ];
    check("5.19, 5.20", &with_pings, "pong:pongme 1 pong:pongme 2 pong:pongme 3 text:12345");
}

#[test]
fn text_in_fragments() {
    let kosme = "Hello-µ@ßöäüàá-UTF-8!!";
    let by_octet = |bytes: &[u8]| -> Vec<Frame> {
        let last = bytes.len() - 1;
        (0..=last)
            .map(|index| {
                let fin = if index == last { 0x80 } else { 0 };
                frame(fin | u8::from(index == 0), [bytes[index]])
            })
            .collect()
    };
    let heard = format!("text:{}", shown(kosme.as_bytes()));
    check("6.1.1", &[text("")], "text:");
    check("6.1.2", &[begin(""), go_on(""), end("")], "text:");
    check("6.1.3", &[begin(""), go_on("middle frame payload"), end("")], "text:middle frame payload");
    check("6.2.1", &[text(kosme)], &heard);
    check("6.2.2", &[begin("Hello-µ@ßöä"), end("üàá-UTF-8!!")], &heard);
    check("6.2.3", &by_octet(kosme.as_bytes()), &heard);
    check("6.2.4", &by_octet("κόσμε".as_bytes()), r"text:\xce\xba\xcf\x8c\xcf\x83\xce\xbc\xce\xb5");
    let wrong = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";
    check("6.3.1", &[text(wrong)], "close:1007");
    check("6.3.2", &by_octet(wrong), "close:1007");
}

/// 6.4.1 to 6.4.4: at the very byte that makes it wrong, in another frame or in the same.
#[test]
fn text_fails_fast() {
    let (right, wrong) = (b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4", b"\x90");
    check("6.4.1", &[begin(&right[..11]), go_on(b"\xf4\x90\x80\x80")], "close:1007");
    check("6.4.2", &[begin(right), go_on(wrong)], "close:1007");
    let whole = text([&right[..], wrong, b"\x80\x80edited"].concat()).masked(KEY);
    let mut session = open(None, &quiet());
    assert_eq!(hear(&mut session, &whole[..6 + 12]), "", "6.4.3, 6.4.4");
    assert_eq!(hear(&mut session, &whole[6 + 12..6 + 13]), "close:1007 ", "6.4.3, 6.4.4");
}

/// The sequences of Markus Kuhn's UTF-8 test, and some more.
#[test]
fn text_of_all_kinds() {
    let kosme = "κόσμε".as_bytes();
    let (mut right, mut wrong): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    for good in ["hello$world", "hello¢world", "hello€world", "hello𤭢world"] {
        right.push(good.into()); // 6.5
    }
    for end in 1..=kosme.len() {
        let whole = std::str::from_utf8(&kosme[..end]).is_ok();
        if whole { &mut right } else { &mut wrong }.push(kosme[..end].to_vec()); // 6.6
    }
    for point in [0, 0x80, 0x800, 0x1_0000, 0x7f, 0x7ff, 0xffff, 0x10_ffff, 0xd7ff, 0xe000, 0xfffd, 0xfffe] {
        right.push(char::from_u32(point).unwrap().to_string().into_bytes()); // 6.7, 6.9, 6.11, 6.22, 6.23
    }
    for plane in 1..=16 {
        for end in [0xfffe, 0xffff] {
            right.push(char::from_u32(plane << 16 | end).unwrap().to_string().into_bytes()); // 6.22
        }
    }
    for bad in [
        &b"\xf8\x88\x80\x80\x80"[..], // 6.8
        b"\xfc\x84\x80\x80\x80\x80",
        b"\xf7\xbf\xbf\xbf", // 6.10
        b"\xfb\xbf\xbf\xbf\xbf",
        b"\xf4\x90\x80\x80", // 6.11.5
        b"\x80",             // 6.12
        b"\xbf",
        b"\x80\xbf\x80\xbf\x80\xbf",
        b"\xc0 \xc1 \xdf ", // 6.13
        b"\xe0 \xef ",
        b"\xf0 \xf7 ",
        b"\xc0", // 6.14
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xc0\xe0\x80\xf0\x80\x80", // 6.15
        b"\xfe",                     // 6.16
        b"\xff",
        b"\xc0\xaf", // 6.17
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xc1\xbf", // 6.18
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xc0\x80", // 6.19
        b"\xe0\x80\x80",
        b"\xed\xa0\x80", // 6.20
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80", // 6.21
    ] {
        wrong.push(bad.to_vec());
    }
    for payload in right {
        check("6.5 to 6.23", &[text(&payload)], &format!("text:{}", shown(&payload)));
    }
    for payload in wrong {
        check("6.5 to 6.23", &[text(&payload)], "close:1007");
        check("6.5 to 6.23", &[begin(&payload), end("")], "close:1007");
    }
}

#[test]
fn closing() {
    let (hello, normal) = (text("Hello World!"), close(1000, ""));
    check("7.1.1", &[hello.clone(), normal.clone()], "text:Hello World! close:1000");
    check("7.1.2", &[normal.clone(), normal.clone()], "close:1000");
    check("7.1.3", &[normal.clone(), ping("")], "close:1000");
    check("7.1.4", &[normal.clone(), hello], "close:1000");
    check("7.1.5", &[begin("fragment1"), normal.clone(), end("fragment2")], "close:1000");
    let large = text("BAsd7&jh23".repeat(26 * 1024));
    check("7.1.6", &[large, normal, ping("")], "text:BAsd..266240 close:1000");
    check("7.3.1", &[frame(0x88, "")], "close:1005");
    check("7.3.2", &[frame(0x88, "a")], "close:1002");
    check("7.3.3", &[close(1000, "")], "close:1000");
    check("7.3.4", &[close(1000, "Hello World!")], "close:1000");
    check("7.3.5", &[close(1000, x(123))], "close:1000");
    check("7.3.6", &[close(1000, x(124))], "close:1002");
    check("7.5.1", &[close(1000, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80edited")], "close:1007");
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        check("7.7", &[close(code, "")], &format!("close:{code}"));
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        check("7.9, 7.13", &[close(code, "")], "close:1002");
    }
}

/// Registered since the suite was written.
#[test]
fn newer_codes() {
    for code in [1012, 1013, 1014] {
        check("none", &[close(code, "")], &format!("close:{code}"));
    }
}

#[test]
fn limits_and_performance() {
    for (variant, length) in [(1, 64 << 10), (2, 256 << 10), (3, 1 << 20), (4, 4 << 20)] {
        let bytes = stream(&[text(x(length)), binary(x(length))]);
        let star = format!("****..{length}");
        let mut session = open(None, &quiet());
        assert_eq!(
            hear(&mut session, &bytes),
            format!("text:{star} binary:{star} "),
            "9.1.{variant}, 9.2.{variant}"
        );
        for fragment in [64, 256, 1024, 4096, 16384, 65536] {
            let frames = in_fragments(&x(length), fragment);
            let mut session = open(None, &quiet());
            assert_eq!(hear(&mut session, &frames), format!("text:{star} "), "9.3, 9.4: {fragment}");
        }
        let mut session = open(None, &quiet());
        let log: String = bytes.chunks(1000).map(|chop| hear(&mut session, chop)).collect();
        assert_eq!(log, format!("text:{star} binary:{star} "), "9.5, 9.6");
    }
    for length in [0, 16, 64, 256, 1024, 4096] {
        let bytes = text(x(length)).masked(KEY).repeat(1000);
        let star = format!("text:{} ", shown(x(length).as_bytes()));
        assert_eq!(hear(&mut open(None, &quiet()), &bytes), star.repeat(1000), "9.7, 9.8");
    }
    let auto = in_fragments(&x(65536), 1300);
    assert_eq!(play(None, &quiet(), &auto), "text:****..65536 ", "10.1.1");
}

fn in_fragments(payload: &str, length: usize) -> Vec<u8> {
    let last = payload.len().div_ceil(length) - 1;
    let parts = payload.as_bytes().chunks(length).enumerate();
    let first = |index| u8::from(index == 0) | if index == last { 0x80 } else { 0 };
    parts.flat_map(|(index, part)| frame(first(index), part).masked(KEY)).collect()
}
