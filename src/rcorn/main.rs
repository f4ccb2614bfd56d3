//! rcorn: the arbiter and its command line.
mod settings;

fn main() {
    let invocation = settings::Invocation::of_process();
    let _ = invocation.load();
}
