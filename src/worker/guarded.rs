//! A value that one may touch at a time, and only who holds the interpreter's lock. That lock orders all of them, so a
//! flag is enough where a mutex would pay for atomic instructions.

use pyo3::Python;
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// The value.
pub(crate) struct Guarded<T> {
    is_held: Cell<bool>,
    value: UnsafeCell<T>,
}

/// Its holder.
pub(crate) struct Guard<'a, T> {
    guarded: &'a Guarded<T>,
    /// As long as the lock of the interpreter is held, and in no other thread.
    attached: PhantomData<Python<'a>>,
}

// SAFETY: `hold` is the only way to the flag and the value, and whoever calls it shows that its thread holds the
// interpreter's lock (the stable ABI of 3.11 has no interpreters without one). A guard stays in that thread. Where the
// thread lets go of the lock while it holds a guard, the flag keeps the others off. The value may be used, and dropped, by
// whichever thread comes: so it has to be `Send`.
unsafe impl<T: Send> Sync for Guarded<T> {}

impl<T> Guarded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { is_held: Cell::new(false), value: UnsafeCell::new(value) }
    }

    /// `None` while somebody else holds it.
    pub(crate) fn hold<'a>(&'a self, _: Python<'a>) -> Option<Guard<'a, T>> {
        let is_free = !self.is_held.replace(true);
        is_free.then(|| Guard { guarded: self, attached: PhantomData })
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: by the flag there is no other guard, and no reference to the value outlives its guard.
        unsafe { &*self.guarded.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and this guard is borrowed mutably.
        unsafe { &mut *self.guarded.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.guarded.is_held.set(false);
    }
}
