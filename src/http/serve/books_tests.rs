//! What the books say of a request beside its status: why, and the head of the response.

use super::test_world::*;
use crate::config::Config;

#[test]
fn the_head_is_kept_where_it_is_wanted() {
    for keeps_heads in [false, true] {
        let mut world = World::new(Config { keeps_heads, ..Config::default() });
        world.answer_by(|_, reply| {
            reply.begin(b"200 OK").unwrap();
            reply.header(b"X-It", b"here").unwrap();
            let _ = reply.write(b"body", true).and_then(|_| reply.finish());
        });
        let client = world.connect();
        send(&client, get("/"));
        world.turn_until("it is booked", |world| !world.books.ended.is_empty());
        let (why, head) = &world.books.further[0];
        assert_eq!((*why, head.is_empty()), (None, !keeps_heads));
        assert!(!keeps_heads || head.contains("\r\nX-It: here\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    }
}

#[test]
fn it_is_known_why_an_answer_is_ours() {
    let mut world = World::new(Config::default());
    world.answer_by(|request, reply| match request.target() {
        "/fails" => reply.fail(500),
        "/late" => reply.give_up(),
        _ => {
            reply.begin(b"200 OK").unwrap();
            let _ = reply.write(b"half", false);
            reply.fail(500);
        }
    });
    for target in ["/fails", "/late", "/half"] {
        send(&world.connect(), get(target));
        let count = world.books.ended.len() + 1;
        world.turn_until("it is booked", |world| world.books.ended.len() == count);
    }
    let why: Vec<_> = world.books.further.iter().map(|(why, _)| why.unwrap()).collect();
    assert_eq!(
        why,
        ["the application failed", "the application did not answer in time", "the response ended early"]
    );
}
