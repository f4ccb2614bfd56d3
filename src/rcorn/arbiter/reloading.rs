//! Development: files that are watched, and the reload that a change of them asks for. Part of the hands.

use super::act::Hands;
use super::event::{Event, Wish};
use crate::watch::Watch;
use contract::id::Generation;
use contract::logline::Level;
use contract::message::Loaded;

const WARNING: &str = "reload is on: files are watched, and clients are shown why the application cannot be imported. \
                       That is for development, not for a service";

impl Hands {
    /// The same, with the files of the first generation watched where its settings say so.
    pub(super) fn watching(mut self, generation: Generation) -> Self {
        self.watch_for(generation);
        let level = if self.manager.is_there() { Level::Warning } else { Level::Info };
        if self.watch.is_some() {
            self.logs.line(level, WARNING);
        }
        self
    }

    /// A generation begins to load.
    pub(super) fn watch_for(&mut self, generation: Generation) {
        let Some(settings) = self.grounds.get(&generation).map(|ground| &ground.settings) else { return };
        if !settings.development.reload {
            return;
        }
        let files = self.watch.take().map(|watch| watch.files().clone());
        let (watch, complaint) = Watch::begin(files, settings);
        self.watch = Some(watch);
        self.complain(complaint);
    }

    /// The generation serves: is anything watched from now on?
    pub(super) fn watch_no_more_than(&mut self, generation: Generation) {
        if self.grounds.get(&generation).is_some_and(|ground| !ground.settings.development.reload) {
            self.watch = None;
        }
    }

    pub(super) fn watch_loaded(&mut self, loaded: Loaded) {
        let complaint = self.watch.as_mut().and_then(|watch| watch.add(loaded));
        self.complain(complaint);
    }

    /// It is time to look at the files.
    pub(super) fn look_at_files(&mut self) -> Option<Event> {
        let what = self.watch.as_mut()?.look()?;
        self.logs.line(Level::Info, &format!("reload: {what}"));
        Some(Event::Operator(Wish::Reload))
    }

    fn complain(&self, complaint: Option<String>) {
        if let Some(complaint) = complaint {
            self.logs.line(Level::Warning, &complaint);
        }
    }
}
