//! The name of a process in `ps`: written over the memory where the kernel looks for its arguments.
//!
//! The arguments and, right behind them, the environment lie on the stack of the first thread. The environment's
//! strings are moved away first, so its room can be used too and nothing that reads the environment later breaks.

use std::ffi::CString;
use std::sync::Mutex;

static ROOM: Mutex<Option<Room>> = Mutex::new(None);

/// The memory that may be written, found once.
#[derive(Clone, Copy)]
struct Room {
    start: usize,
    end: usize,
}

/// Sets the name that `ps` shows. What cannot be done is left undone: a name is not worth an error.
pub fn set(title: &str) {
    let Ok(mut room) = ROOM.lock() else { return };
    if room.is_none() {
        *room = find_room();
    }
    if let Some(room) = *room {
        write(room, title.as_bytes());
    }
    // The short name has no blanks: many programs that read /proc/PID/stat cannot cope with them.
    let short = title.replacen("rcorn: ", "rcorn-", 1);
    if let Ok(name) = CString::new(short.split(' ').next().unwrap_or_default()) {
        // SAFETY: a NUL-terminated string, of which the kernel takes the first 15 bytes.
        unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
    }
}

fn write(room: Room, title: &[u8]) {
    let size = room.end - room.start;
    // One NUL must remain at the end. A title that is longer than the arguments were is shown whole because it lies
    // over their last byte, which then is not NUL (proc_pid_cmdline(5)).
    let length = title.len().min(size - 1);
    // SAFETY: `start..end` is writable stack memory of the first thread that only the kernel reads from now on
    // (`find_room` moved the environment away; the runtime copied the arguments before `main`).
    unsafe {
        let start = room.start as *mut u8;
        std::ptr::write_bytes(start, 0, size);
        std::ptr::copy_nonoverlapping(title.as_ptr(), start, length);
    }
}

fn find_room() -> Option<Room> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Fields are counted behind the name, which may contain anything but ends at the last parenthesis (proc(5)).
    let fields: Vec<usize> =
        stat[stat.rfind(')')? + 2..].split(' ').map(|field| field.trim().parse().unwrap_or(0)).collect();
    let field = |number: usize| fields.get(number - 3).copied().filter(|address| *address != 0);
    let (start, arguments_end) = (field(48)?, field(49)?);
    let (environment_start, environment_end) = (field(50)?, field(51)?);
    let adjacent = environment_start == arguments_end && environment_end > environment_start;
    if arguments_end <= start + 1 {
        return None;
    }
    if adjacent {
        move_environment();
    }
    Some(Room { start, end: if adjacent { environment_end } else { arguments_end } })
}

unsafe extern "C" {
    static mut environ: *mut *mut libc::c_char;
}

/// Points the process's environment at copies that live for ever.
fn move_environment() {
    // SAFETY: called once, under the lock, by a process that has one thread yet or whose threads do not change the
    // environment (rcorn never does; an application that did so during our start would be at fault on its own).
    unsafe {
        let mut entry = environ;
        while !entry.is_null() && !(*entry).is_null() {
            *entry = libc::strdup(*entry);
            entry = entry.add(1);
        }
    }
}
