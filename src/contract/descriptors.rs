//! Which descriptor is what in a zygote. Workers inherit them by the fork.

/// The zygote's end of its channel.
pub const CHANNEL: i32 = 3;
/// The sealed memory file with its `WorkerSettings`.
pub const SETTINGS: i32 = 4;
/// The scoreboard of its generation.
pub const SCOREBOARD: i32 = 5;
/// Where log lines go.
pub const ERROR_LOG: i32 = 6;
/// Where the access log goes, or /dev/null.
pub const ACCESS_LOG: i32 = 7;
/// The real standard error. Until the boot program has put it into its place, that is a scratch file, so that what
/// a program says that turns out to be no Python can be told in one sentence.
pub const STANDARD_ERROR: i32 = 8;
/// The first listener; the others follow.
pub const LISTENERS: i32 = 9;
/// The most listeners that there is room for.
pub const MOST_LISTENERS: usize = 59;

/// In the helper that evaluates a settings file: where its answer goes, in the place of the channel.
pub const ANSWER: i32 = CHANNEL;
/// And what it is asked, in the place of the settings.
pub const QUESTION: i32 = SETTINGS;
