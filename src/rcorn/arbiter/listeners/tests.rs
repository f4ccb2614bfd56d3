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
    let before = gather(&settings(vec![old.clone(), old.clone()]), &[], &[], None).unwrap();
    assert_eq!(before.len(), 1);
    let after = gather(&settings(vec![new.clone(), old]), &before, &[], None).unwrap();
    assert!(Rc::ptr_eq(&after[1], &before[0]));
    assert_eq!(after[0].to_string(), format!("unix:{}", second.display()));
    let without = gather(&settings(vec![new]), &after, &[], None).unwrap();
    drop((before, after));
    assert!(!first.exists() && second.exists());
    drop(without);
    assert!(!second.exists());
}

#[test]
fn a_port_of_our_choice_is_kept_by_its_wish() {
    let _mask = MASK.lock();
    let any = Bind::Address(Address::Tcp("127.0.0.1:0".parse().unwrap()));
    let before = gather(&settings(vec![any.clone()]), &[], &[], None).unwrap();
    let after = gather(&settings(vec![any]), &before, &[], None).unwrap();
    assert!(Rc::ptr_eq(&before[0], &after[0]));
    assert!(!after[0].to_string().ends_with(":0"));
}

#[test]
fn what_cannot_be_bound_is_said_in_a_sentence() {
    let _mask = MASK.lock();
    let taken =
        gather(&settings(vec![Bind::Address(Address::Tcp("127.0.0.1:0".parse().unwrap()))]), &[], &[], None);
    let address = taken.as_ref().unwrap()[0].address.clone();
    let error = gather(&settings(vec![Bind::Address(address)]), &[], &[], None).unwrap_err();
    assert!(error.contains("another process listens there"), "{error}");
    let nowhere = Bind::Address(Address::Unix("/nowhere/app.sock".into()));
    assert!(
        gather(&settings(vec![nowhere]), &[], &[], None).unwrap_err().contains("directory does not exist")
    );
    let missing = gather(&settings(vec![Bind::Fd(99_999)]), &[], &[], None).unwrap_err();
    assert!(missing.contains("fd://99999"), "{missing}");
}

#[test]
fn a_socket_file_has_the_mode_that_the_umask_leaves() {
    let _mask = MASK.lock();
    use std::os::unix::fs::PermissionsExt;
    let path = temporary("mode");
    let mut settings = settings(vec![Bind::Address(Address::Unix(path.clone()))]);
    settings.umask = 0o077;
    let _listeners = gather(&settings, &[], &[], None).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
}

/// A socket as systemd hands it over under a name.
fn handed(name: &str) -> Rc<Listener> {
    let any = Address::Tcp("127.0.0.1:0".parse().unwrap());
    let mut listener = Listener::bind(&any, &settings(Vec::new()), None).unwrap();
    listener.name = Some(name.to_owned());
    listener.asked = Bind::Fd(-1);
    Rc::new(listener)
}

#[test]
fn what_is_handed_over_replaces_the_settings_unless_they_call_it_by_its_name() {
    let sockets = [handed("http"), handed("admin"), handed("http")];
    let any = Bind::Address(Address::Tcp("127.0.0.1:0".parse().unwrap()));
    let all = gather(&settings(vec![any.clone()]), &[], &sockets, None).unwrap();
    assert_eq!(all.len(), 3);
    let http = Bind::Handed("http".into());
    let some = gather(&settings(vec![http.clone(), any.clone(), http]), &[], &sockets, None).unwrap();
    assert!(Rc::ptr_eq(&some[0], &sockets[0]) && Rc::ptr_eq(&some[1], &sockets[2]));
    assert_eq!((some.len(), &some[2].asked), (3, &any));
    let none = settings(vec![Bind::Handed("web".into())]);
    let error = gather(&none, &[], &sockets, None).unwrap_err();
    assert!(error.starts_with("fd://web: no socket of that name"), "{error}");
    assert!(error.contains("but http, admin, http;"), "{error}");
    assert!(gather(&none, &[], &[], None).unwrap_err().contains("handed over no socket"));
}

#[test]
fn metrics_have_a_listener_of_their_own() {
    let _mask = MASK.lock();
    let any = Bind::Address(Address::Tcp("127.0.0.1:0".parse().unwrap()));
    let mut settings = settings(vec![any.clone()]);
    assert!(for_metrics(&settings, &[], &[], &[]).unwrap().is_none());
    settings.metrics.bind = Some(any);
    let before = gather(&settings, &[], &[], None).unwrap();
    let metrics = for_metrics(&settings, &before, &[], &before).unwrap().unwrap();
    assert!(!Rc::ptr_eq(&metrics, &before[0]));
    let open = [Rc::clone(&before[0]), Rc::clone(&metrics)];
    let after = gather(&settings, &open, &[], None).unwrap();
    assert!(after.len() == 1 && Rc::ptr_eq(&after[0], &before[0]));
    assert!(Rc::ptr_eq(&for_metrics(&settings, &open, &[], &after).unwrap().unwrap(), &metrics));
}

#[test]
fn what_is_handed_over_for_metrics_is_not_the_applications() {
    let sockets = [handed("http"), handed("metrics")];
    let mut settings = settings(Vec::new());
    settings.metrics.bind = Some(Bind::Handed("metrics".into()));
    let served = gather(&settings, &[], &sockets, None).unwrap();
    assert!(served.len() == 1 && Rc::ptr_eq(&served[0], &sockets[0]));
    let metrics = for_metrics(&settings, &[], &sockets, &served).unwrap().unwrap();
    assert!(Rc::ptr_eq(&metrics, &sockets[1]));
}

#[test]
fn what_systemd_kept_is_what_was_bound() {
    let _mask = MASK.lock();
    let directory = std::env::temp_dir().join(format!("rcorn-kept-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let address = Bind::Address(Address::Unix(directory.join("a.sock")));
    let ours = gather(&settings(vec![address.clone()]), &[], &[], None).unwrap();
    let name = ours[0].name_in_store().unwrap();
    assert!(name.starts_with("rcorn-bind-unix_/") && !name[4..].contains(':'), "{name}");
    assert_eq!(handed("http").name_in_store(), None);
    let fd = ours[0].fd.try_clone().unwrap().into_raw_fd();
    ours[0].leave_file();
    drop(ours);
    let kept = Rc::new(Listener::adopt(fd, Some(&name)).unwrap().kept().unwrap());
    let again = gather(&settings(vec![address]), std::slice::from_ref(&kept), &[], None).unwrap();
    assert!(Rc::ptr_eq(&again[0], &kept));
    drop((again, kept));
    assert!(!directory.join("a.sock").exists(), "its file goes with it, at last");
    std::fs::remove_dir(directory).unwrap();
}
