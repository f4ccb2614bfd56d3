//! Listeners that are bound, kept, refused and removed, on real sockets.

use super::*;
use std::path::PathBuf;

/// The file mode mask belongs to the whole process.
static MASK: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn settings(bind: Vec<Bind>) -> Settings {
    let mut settings = crate::arbiter::tests::settings();
    settings.bind = bind;
    settings
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("rcorn-{name}-{}", sys::process::own_pid()))
}

#[test]
fn a_reload_keeps_what_is_open_and_binds_the_rest() {
    let _mask = MASK.lock();
    let (first, second) = (temporary("keep"), temporary("new"));
    let old = Bind::Address(Address::Unix(first.clone()));
    let new = Bind::Address(Address::Unix(second.clone()));
    let before = gather(&settings(vec![old.clone(), old.clone()]), &[], None).unwrap();
    assert_eq!(before.len(), 1);
    let after = gather(&settings(vec![new.clone(), old]), &before, None).unwrap();
    assert!(Rc::ptr_eq(&after[1], &before[0]));
    assert_eq!(after[0].to_string(), format!("unix:{}", second.display()));
    let without = gather(&settings(vec![new]), &after, None).unwrap();
    drop((before, after));
    assert!(!first.exists() && second.exists());
    drop(without);
    assert!(!second.exists());
}

#[test]
fn a_port_of_our_choice_is_kept_by_its_wish() {
    let _mask = MASK.lock();
    let any = Bind::Address(Address::Tcp("127.0.0.1:0".parse().unwrap()));
    let before = gather(&settings(vec![any.clone()]), &[], None).unwrap();
    let after = gather(&settings(vec![any]), &before, None).unwrap();
    assert!(Rc::ptr_eq(&before[0], &after[0]));
    assert!(!after[0].to_string().ends_with(":0"));
}

#[test]
fn what_cannot_be_bound_is_said_in_a_sentence() {
    let _mask = MASK.lock();
    let taken =
        gather(&settings(vec![Bind::Address(Address::Tcp("127.0.0.1:0".parse().unwrap()))]), &[], None);
    let address = taken.as_ref().unwrap()[0].address.clone();
    let error = gather(&settings(vec![Bind::Address(address)]), &[], None).unwrap_err();
    assert!(error.contains("another process listens there"), "{error}");
    let nowhere = Bind::Address(Address::Unix("/nowhere/app.sock".into()));
    assert!(gather(&settings(vec![nowhere]), &[], None).unwrap_err().contains("directory does not exist"));
    let missing = gather(&settings(vec![Bind::Fd(99_999)]), &[], None).unwrap_err();
    assert!(missing.contains("fd://99999"), "{missing}");
}

#[test]
fn a_socket_file_has_the_mode_that_the_umask_leaves() {
    let _mask = MASK.lock();
    use std::os::unix::fs::PermissionsExt;
    let path = temporary("mode");
    let mut settings = settings(vec![Bind::Address(Address::Unix(path.clone()))]);
    settings.umask = 0o077;
    let _listeners = gather(&settings, &[], None).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
}
