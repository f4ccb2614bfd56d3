//! Formats, and the lines that they make.

use super::*;
use std::borrow::Cow;
use std::net::IpAddr;

struct One {
    line: &'static [u8],
    agent: &'static [u8],
    status: u16,
    ending: Ending,
}

const ONE: One = One {
    line: b"GET /a%20b?c=d HTTP/1.1",
    agent: b"evil\" \\ \n\xff",
    status: 200,
    ending: Ending::Answered,
};

impl Facts for One {
    fn client(&self) -> Option<IpAddr> {
        Some([192, 0, 2, 7].into())
    }
    fn line(&self) -> &[u8] {
        self.line
    }
    fn status(&self) -> u16 {
        self.status
    }
    fn bytes(&self) -> u64 {
        42
    }
    fn duration(&self) -> u64 {
        1_234_567_891
    }
    fn pid(&self) -> i32 {
        77
    }
    fn ending(&self) -> Ending {
        self.ending
    }
    fn reason(&self) -> Option<&str> {
        (self.ending != Ending::Answered).then_some("too \"bad\"")
    }
    fn queued(&self) -> Option<u64> {
        Some(3_000_000)
    }
    fn field(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        (name == "user-agent").then_some(Cow::Borrowed(self.agent))
    }
    fn response_field(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        (name == "x-it").then_some(Cow::Borrowed(b"out"))
    }
    fn variable(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        (name == "remote_user").then_some(Cow::Borrowed(b"eve"))
    }
}

fn line(format: &str, one: &One) -> String {
    let mut out = Vec::new();
    Scribe::new(Format::parse(format).unwrap(), Writer::default()).write(one, &mut out);
    String::from_utf8(out).unwrap()
}

fn shown(format: &str) -> String {
    line(format, &ONE).trim_end_matches('\n').to_owned()
}

fn refused(format: &str) -> String {
    Format::parse(format).unwrap_err()
}

#[test]
fn every_atom_is_there() {
    assert_eq!(shown("%(h)s %(l)s %(u)s %(r)s %(m)s"), "192.0.2.7 - - GET /a%20b?c=d HTTP/1.1 GET");
    assert_eq!(shown("%(U)s %(q)s %(H)s %(s)s %(B)s %(b)s"), "/a%20b c=d HTTP/1.1 200 42 42");
    assert_eq!(shown("%(T)s %(M)s %(D)s %(L)s %(p)s"), "1 1234 1234567 1.234567 <77>");
    assert_eq!(shown("%({X-It}o)s %({REMOTE_USER}e)s %({Cookie}i)s"), "out eve -");
    assert_eq!(shown("%(f)s %(queue)s %(reason)s %% %(t)s")[..12], *"- 3000 - % [");
}

#[test]
fn forms_are_those_of_pythons_per_cent() {
    let all = [
        ("%(h)-12s|", "192.0.2.7   |"),
        ("%(h)12s|", "   192.0.2.7|"),
        ("%(h).3s|", "192|"),
        ("%(D)d", "1234567"),
        ("%(D)010d", "0001234567"),
        ("%(T)+05d", "+0001"),
        ("%(T)-4d|", "1   |"),
        ("%(L).2f", "1.23"),
        ("%(T)f", "1.000000"),
        ("%(s)d", "200"),
        ("%(m)ls", "GET"),
    ];
    for (format, expected) in all {
        assert_eq!(shown(format), expected, "{format}");
    }
}

#[test]
fn what_is_no_format_is_refused_in_words() {
    assert!(refused("%(z)s").starts_with("there is no atom %(z); there are h l u"));
    assert!(refused("%({X}z)s").starts_with("there is no atom %({X}z)"));
    assert!(refused("%h %l").starts_with("\"%h %l\" is no atom: they look like %(h)s"));
    assert!(refused("100%").contains("is no atom"));
    assert_eq!(refused("%(h"), "\"%(h\" has no closing bracket");
    assert_eq!(refused("%(h)"), "%(h): the format ends within an atom");
    assert_eq!(refused("%(h)d"), "%(h): 'd' is for numbers, which this atom is not");
    assert_eq!(refused("%(D)x"), "%(D): an atom ends with s, d or f, not with 'x'");
    assert!(refused("%(h)5000s").contains("too wide") && refused("a\nb").contains("line break"));
}

#[test]
fn the_reason_ends_a_combined_line() {
    assert!(shown("combined").ends_with(r#" 200 42 "-" "evil\" \\ \x0a\xff""#), "{}", shown("combined"));
    let refused = One { status: 0, ending: Ending::Refused, ..ONE };
    assert!(line("common", &refused).ends_with(" 000 42 \"too \\\"bad\\\"\"\n"));
    assert!(line(COMMON, &refused).ends_with(" 000 42\n"), "written out, it is what was written");
}

#[test]
fn an_object_that_was_written_by_hand_is_one_whatever_a_client_sends() {
    let made = shown(r#"{"agent": "%(a)s", "cut": "%(a).5s", "line": "%(r)s"}"#);
    let value: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert_eq!(value["agent"], "evil\" \\ \n\u{fffd}");
    assert_eq!(value["cut"], "evil\"");
}

#[test]
fn json_has_the_reason_by_what_happened() {
    let value = |ending| {
        let made = line("json", &One { ending, ..ONE });
        serde_json::from_str::<serde_json::Value>(&made).unwrap()
    };
    let refused = value(Ending::Refused);
    assert_eq!((&refused["refused"], refused.get("aborted")), (&"too \"bad\"".into(), None));
    assert_eq!(value(Ending::Aborted)["aborted"], "too \"bad\"");
    assert_eq!(value(Ending::Answered)["queue_us"], 3000);
}

#[test]
fn only_what_is_asked_for_is_found_out() {
    let needs = Format::parse("%({A}e)s %({b}o)s %(queue)s").unwrap().needs();
    assert_eq!(needs, Needs { queue: true, response_head: true, variables: vec!["a".into()] });
    assert_eq!(Format::parse("combined").unwrap().needs(), Needs::default());
}

#[test]
fn a_path_is_found_in_every_form_of_a_target() {
    for (line, path) in [
        (&b"GET http://a.example/x?y HTTP/1.1"[..], "/x"),
        (b"GET /p?u=http://b/ HTTP/1.1", "/p"),
        (b"OPTIONS * HTTP/1.1", "*"),
        (b"", ""),
    ] {
        assert_eq!(One { line, ..ONE }.path(), path.as_bytes());
    }
}
