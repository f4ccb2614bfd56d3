//! What the table says of one setting.

use super::Settings;
use std::path::PathBuf;
use std::time::Duration;

/// One setting.
#[derive(Debug)]
pub(super) struct Row {
    /// Its name in the file; empty when it is none of the file's.
    pub(super) key: &'static str,
    /// Gunicorn's name in the file, where that is another.
    pub(super) alias: &'static str,
    /// Its flags, the one that help shows first in front.
    pub(super) flags: &'static [&'static str],
    /// What takes its value, and which values there are.
    pub(super) kind: Kind,
    /// The flag that switches it off.
    pub(super) negated_by: &'static str,
    /// Its value when nobody says anything; empty when there is none.
    pub(super) default: &'static str,
    /// An environment variable that moves the default, and the value that it makes, with `{}` for the variable's.
    pub(super) variable: Option<(&'static str, &'static str)>,
    /// Where help shows it.
    pub(super) section: Section,
    /// What it is, in one line.
    pub(super) help: &'static str,
}

/// What takes a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A whole number between two, both included.
    Number(u64, u64, fn(&mut Settings, u64)),
    /// The same, or `auto`, which is the number that the first function knows.
    NumberOrAuto(fn() -> u64, u64, u64, fn(&mut Settings, u64)),
    /// A number of bytes.
    Size(fn(&mut Settings, u64)),
    /// A length of time.
    Duration(fn(&mut Settings, Duration)),
    /// One of several words.
    Choice(&'static [&'static str], fn(&mut Settings, &str)),
    /// `on` or `off` (in the file `true` or `false` as well), or one of further words; a flag without a value is `on`.
    Switch(&'static [&'static str], fn(&mut Settings, &str)),
    /// A file mode mask.
    Mask(fn(&mut Settings, u32)),
    /// A file mode.
    Mode(fn(&mut Settings, u32)),
    /// Any text, or a number that stands for one.
    Text(fn(&mut Settings, &str)),
    /// Any text that is found to be right.
    Checked(fn(&mut Settings, &str) -> Result<(), String>),
    /// One of several words, or of names that others have for them; it may be refused, with nothing when it is none.
    Known(&'static [&'static str], fn(&mut Settings, &str) -> Result<(), String>),
    /// An address such as this one; it may be refused.
    Address(&'static str, fn(&mut Settings, &str) -> Result<(), String>),
    /// A path.
    Path(fn(&mut Settings, PathBuf)),
    /// Several values, separated by commas where the first field says so; each may be refused.
    List(bool, fn(&mut Settings, &str) -> Result<(), String>),
    /// A table, or an object in JSON: as JSON.
    Table(fn(&mut Settings, &str)),
    /// Names with values: `NAME=VALUE`, in the file a table as well; each may be refused.
    Pairs(fn(&mut Settings, &str) -> Result<(), String>),
    /// A hook: a function, which only a settings file in Python can have.
    Hook,
    /// One of Gunicorn's that has no effect here: what it takes, and why it has none.
    Unused(Takes, &'static str),
    /// One of Gunicorn's that is refused, but for values that change nothing there either; and what to do instead.
    Refused(&'static [&'static str], &'static str),
    /// A flag that asks for something else than to serve.
    Wish(Wish),
}

impl Kind {
    /// Is a list of values one value after the other?
    pub(super) fn collects(self) -> bool {
        matches!(self, Self::List(..) | Self::Pairs(_) | Self::Unused(Takes::List, _) | Self::Refused(..))
    }
}

/// What a setting takes that has no effect.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    /// Yes or no; a flag without a value.
    Switch,
    /// A whole number.
    Number,
    /// Text.
    Text,
    /// One of several words.
    Words(&'static [&'static str]),
    /// Several values.
    List,
    /// A function.
    Function,
}

/// What a call of rcorn asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Serve.
    Serve,
    /// Try everything but serving.
    Check,
    /// Show every setting.
    Print,
    /// Translate another server's settings.
    Migrate,
    /// Show the flags.
    Help,
    /// Show the version.
    Version,
}

/// Sections of the help, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// What is served and how it is started.
    Application,
    /// Where it listens.
    Sockets,
    /// Its workers.
    Workers,
    /// Applications that speak ASGI.
    Asgi,
    /// Its manners towards clients.
    Clients,
    /// Proxies in front of it.
    Proxies,
    /// What it lets pass.
    Permits,
    /// Its logs.
    Logging,
    /// What is measured.
    Metrics,
    /// The process.
    Process,
    /// For whoever writes the application.
    Development,
    /// What else rcorn can be asked for.
    Other,
    /// Not shown.
    Hidden,
}

impl Section {
    /// All that are shown, with their headings.
    pub(super) const SHOWN: [(Self, &'static str); 12] = [
        (Self::Application, "Application"),
        (Self::Sockets, "Sockets"),
        (Self::Workers, "Workers"),
        (Self::Asgi, "ASGI applications"),
        (Self::Clients, "Clients"),
        (Self::Proxies, "Proxies in front"),
        (Self::Permits, "Requests in an old or odd style"),
        (Self::Logging, "Logging"),
        (Self::Metrics, "Metrics and health"),
        (Self::Process, "Process"),
        (Self::Development, "Development"),
        (Self::Other, "Instead of serving"),
    ];
}

impl Row {
    /// A row with a name, flags, what takes its value, and what it is.
    pub(super) const fn new(
        key: &'static str,
        flags: &'static [&'static str],
        kind: Kind,
        help: &'static str,
    ) -> Self {
        Self {
            key,
            alias: "",
            flags,
            kind,
            negated_by: "",
            default: "",
            variable: None,
            section: Section::Hidden,
            help,
        }
    }

    /// Shown in this section.
    pub(super) const fn within(mut self, section: Section) -> Self {
        self.section = section;
        self
    }

    /// Switched off by this flag.
    pub(super) const fn negated_by(mut self, flag: &'static str) -> Self {
        self.negated_by = flag;
        self
    }

    /// With this default.
    pub(super) const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    /// Also known to the file by Gunicorn's name.
    pub(super) const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = alias;
        self
    }

    /// With a default that an environment variable moves.
    pub(super) const fn moved_by(mut self, variable: &'static str, value: &'static str) -> Self {
        self.variable = Some((variable, value));
        self
    }

    /// True when the file may have it under this name.
    pub(super) fn is_named(&self, key: &str) -> bool {
        !key.is_empty() && (self.key == key || self.alias == key)
    }

    /// True when it has a value that may be shown.
    pub(super) fn has_value(&self) -> bool {
        self.section != Section::Hidden
            && !matches!(self.kind, Kind::Wish(_) | Kind::Hook | Kind::Unused(..) | Kind::Refused(..))
    }

    /// How help writes its value; nothing when its flag takes none.
    pub(super) fn placeholder(&self) -> &'static str {
        match self.kind {
            Kind::Number(..) => "N",
            Kind::NumberOrAuto(..) => "N|auto",
            Kind::Size(_) => "SIZE",
            Kind::Duration(_) => "TIME",
            Kind::Choice(..) => "WORD",
            Kind::Mask(_) => "MASK",
            Kind::Table(_) => "JSON",
            Kind::Text(_) | Kind::Checked(_) => "TEXT",
            Kind::Known(..) => "NAME",
            Kind::List(..) if self.key == "bind" => "ADDRESS",
            Kind::Address(..) => "ADDRESS",
            Kind::Pairs(_) => "NAME=VALUE",
            Kind::Path(_) | Kind::List(..) => "PATH",
            Kind::Switch([], _) => "on|off",
            Kind::Switch(&["auto"], _) => "on|off|auto",
            Kind::Mode(_) | Kind::Switch(..) => "MODE",
            Kind::Wish(_) | Kind::Hook | Kind::Unused(..) | Kind::Refused(..) => "",
        }
    }
}
