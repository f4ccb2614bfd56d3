//! The form of the access log: a format as the operator writes it, compiled once, and the line that it makes of what is
//! known of a request. Workers write most lines; the arbiter writes those of requests whose worker died.
//!
//! | format     | a line is                                                                                  |
//! |------------|--------------------------------------------------------------------------------------------|
//! | `combined` | what nginx and Apache call so; behind it the reason, where a request was refused or aborted |
//! | `common`   | the same without referer and user agent                                                    |
//! | `json`     | a record: `json`                                                                           |
//! | other      | Gunicorn's: text with atoms such as `%(h)s`: `template`, `atom`                            |

mod atom;
mod facts;
mod json;
mod quoting;
mod spec;
mod stamp;
mod template;
#[cfg(test)]
mod tests;

pub use facts::{Ending, Facts, path_of};

use crate::record::Writer;
use atom::Atom;
use stamp::Stamp;
use template::Template;

const COMMON: &str = r#"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s"#;
const COMBINED: &str = r#"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s""#;

/// A format that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Records.
    Json,
    /// Text.
    Text(Text),
}

/// A format of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    template: Template,
    /// Does the reason follow, where there is one?
    ends_with_reason: bool,
}

/// What a format asks for that costs something to find out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// How long requests have waited.
    pub queue: bool,
    /// The head of the response.
    pub response_head: bool,
    /// These variables of the environment, in lower case.
    pub variables: Vec<String>,
}

impl Format {
    /// Understands a format, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (template, ends_with_reason) = match text {
            "json" => return Ok(Self::Json),
            "combined" => (COMBINED, true),
            "common" => (COMMON, true),
            other => (other, false),
        };
        Ok(Self::Text(Text { template: Template::parse(template)?, ends_with_reason }))
    }

    /// What it asks for.
    pub fn needs(&self) -> Needs {
        let Self::Text(text) = self else { return Needs { queue: true, ..Needs::default() } };
        let mut needs = Needs::default();
        for atom in text.template.atoms() {
            match atom {
                Atom::Queue => needs.queue = true,
                Atom::ResponseField(_) => needs.response_head = true,
                Atom::Variable(name) => needs.variables.push(name.clone()),
                _ => {}
            }
        }
        needs
    }
}

/// The text in which Gunicorn writes this format; for `json` there is none.
pub fn as_template(text: &str) -> &str {
    match text {
        "combined" => COMBINED,
        "common" => COMMON,
        other => other,
    }
}

/// Writes lines.
#[derive(Clone, Debug)]
pub struct Scribe {
    format: Format,
    stamp: Stamp,
    /// What records say of who wrote them.
    writer: Writer,
}

impl Scribe {
    /// One for this format.
    pub fn new(format: Format, writer: Writer) -> Self {
        Self { format, stamp: Stamp::default(), writer }
    }

    /// Adds the line of one request, with its newline.
    pub fn write(&mut self, facts: &impl Facts, out: &mut Vec<u8>) {
        match &self.format {
            Format::Json => out.extend(json::line_of(&self.writer, facts)),
            Format::Text(Text { template, ends_with_reason }) => {
                template.render(facts, self.stamp.now(), out);
                if *ends_with_reason && facts.ending() != Ending::Answered {
                    add_reason(facts, out);
                }
                out.push(b'\n');
            }
        }
    }
}

fn add_reason(facts: &impl Facts, out: &mut Vec<u8>) {
    out.extend_from_slice(b" \"");
    quoting::Quoting::Log.add(facts.reason().unwrap_or("-").as_bytes(), out);
    out.push(b'"');
}
