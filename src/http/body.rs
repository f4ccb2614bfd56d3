//! The body of a request as it arrives: by length, or in chunks (RFC 9112, 6.2 and 7.1). Owns no bytes.
//!
//! | rule                                                         | where                    |
//! |--------------------------------------------------------------|--------------------------|
//! | chunk-size is hex digits, without sign, blank or overflow    | `Chunked::size`          |
//! | extensions are well-formed and bounded; we drop them         | `extension`              |
//! | chunk data is followed by exactly CRLF                       | `Stage::DataEnd`         |
//! | trailers are fields; those that frame a message are refused  | `trailer`                |

use crate::config::Config;
use crate::extension::Extension;
use crate::framing::{BodyLength, TOO_LARGE};
use crate::refusal::Refusal;
use crate::token::{is_token, is_value};

/// The most bytes of chunk extensions in one request: nobody uses them, so more is an attack on our time.
const LONGEST_EXTENSIONS: usize = 8 * 1024;
/// The most digits of a chunk's size, noughts in front included.
const MOST_DIGITS: u8 = 16;
/// The longest trailer section, with the empty line that ends it.
const LONGEST_TRAILERS: usize = 16 * 1024;

/// Takes a body apart.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// So many bytes are still to come.
    Length(u64),
    /// Chunks.
    Chunked(Box<Chunked>),
}

/// What one step of decoding gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The next `data` bytes of the input belong to the body.
    Data(usize),
    /// So many bytes were framing.
    Framing(usize),
    /// More input is needed.
    Starved,
    /// The body is complete.
    Done,
}

impl Decoder {
    /// How much is still to come, where the length was told.
    pub(crate) fn missing(&self) -> usize {
        match self {
            Self::Length(left) => usize::try_from(*left).unwrap_or(usize::MAX),
            Self::Chunked(_) => 0,
        }
    }

    /// For a body that there is.
    pub(crate) fn new(length: BodyLength) -> Self {
        match length {
            BodyLength::None => Self::Length(0),
            BodyLength::Exactly(length) => Self::Length(length),
            BodyLength::Chunked => Self::Chunked(Box::default()),
        }
    }

    /// Looks at what comes next in `input`. `received` is the length of the body so far.
    pub(crate) fn step(&mut self, input: &[u8], received: u64, config: &Config) -> Result<Step, Refusal> {
        let step = match self {
            Self::Length(0) => return Ok(Step::Done),
            Self::Length(left) => {
                let data = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= data as u64;
                if data == 0 { Step::Starved } else { Step::Data(data) }
            }
            Self::Chunked(chunked) => chunked.step(input)?,
        };
        match step {
            Step::Data(data) if config.body != 0 && received + data as u64 > config.body => Err(TOO_LARGE),
            step => Ok(step),
        }
    }
}

/// One place in the grammar of RFC 9112, 7.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Before the first digit of a size.
    #[default]
    SizeStart,
    /// Behind a digit of a size.
    Size,
    /// In the extensions.
    Extension(Extension),
    /// Behind the CR of a size line.
    SizeEnd,
    /// Within the data.
    Data,
    /// Behind the data: how many bytes of CRLF were seen.
    DataEnd { seen: u8 },
    /// In the trailer section.
    Trailers,
    /// Behind everything.
    Done,
}

/// The state of a chunked body.
#[derive(Debug, Default)]
pub(crate) struct Chunked {
    stage: Stage,
    left: u64,
    digits: u8,
    /// Bytes of extensions so far.
    extensions: usize,
    /// Bytes of trailers so far.
    trailers: usize,
    /// A line of the trailers that is not whole.
    line: Vec<u8>,
}

const BAD_CHUNK: Refusal = Refusal::bad("the size of a chunk is malformed");

impl Chunked {
    fn step(&mut self, input: &[u8]) -> Result<Step, Refusal> {
        let Some(byte) = input.first() else {
            return Ok(if self.stage == Stage::Done { Step::Done } else { Step::Starved });
        };
        match self.stage {
            Stage::Data => return Ok(self.data(input)),
            Stage::Trailers => return self.trailer_section(input),
            Stage::Done => return Ok(Step::Done),
            Stage::SizeStart | Stage::Size => self.size(*byte)?,
            Stage::Extension(extension) => self.extension(*byte, extension)?,
            Stage::SizeEnd => self.size_end(*byte)?,
            Stage::DataEnd { seen } => self.data_end(*byte, seen)?,
        }
        Ok(Step::Framing(1))
    }

    fn size(&mut self, byte: u8) -> Result<(), Refusal> {
        if let Some(digit) = char::from(byte).to_digit(16) {
            self.digits = if self.stage == Stage::Size { self.digits + 1 } else { 1 };
            // Room is kept, so that lengths can be added without overflow. Leading noughts have an end, too.
            if self.left >> 52 != 0 || self.digits > MOST_DIGITS {
                return Err(Refusal::bad("the size of a chunk is too large"));
            }
            self.left = self.left << 4 | u64::from(digit);
            self.stage = Stage::Size;
            return Ok(());
        }
        self.stage = match (self.stage, byte) {
            (Stage::Size, b'\r') => Stage::SizeEnd,
            (Stage::Size, b';') => Stage::Extension(Extension::Semicolon),
            _ => return Err(BAD_CHUNK),
        };
        Ok(())
    }

    fn extension(&mut self, byte: u8, extension: Extension) -> Result<(), Refusal> {
        self.extensions += 1;
        if self.extensions > LONGEST_EXTENSIONS {
            return Err(Refusal::bad("the chunk extensions are too long"));
        }
        self.stage = match extension.next(byte) {
            Some(next) => Stage::Extension(next),
            None if byte == b'\r' && extension.may_end() => Stage::SizeEnd,
            None => return Err(Refusal::bad("a chunk extension is malformed")),
        };
        Ok(())
    }

    fn size_end(&mut self, byte: u8) -> Result<(), Refusal> {
        if byte != b'\n' {
            return Err(BAD_CHUNK);
        }
        self.stage = if self.left == 0 { Stage::Trailers } else { Stage::Data };
        Ok(())
    }

    fn data(&mut self, input: &[u8]) -> Step {
        let data = input.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= data as u64;
        if self.left == 0 {
            self.stage = Stage::DataEnd { seen: 0 };
        }
        Step::Data(data)
    }

    fn data_end(&mut self, byte: u8, seen: u8) -> Result<(), Refusal> {
        self.stage = match (seen, byte) {
            (0, b'\r') => Stage::DataEnd { seen: 1 },
            (1, b'\n') => Stage::SizeStart,
            _ => return Err(Refusal::bad("a chunk is longer than its size says")),
        };
        Ok(())
    }

    /// Collects a line; an empty one ends the body.
    fn trailer_section(&mut self, input: &[u8]) -> Result<Step, Refusal> {
        let end = memchr::memchr(b'\n', input);
        let taken = end.map_or(input.len(), |end| end + 1);
        self.trailers += taken;
        if self.trailers > LONGEST_TRAILERS {
            return Err(Refusal::new(431, "the trailers are too long"));
        }
        self.line.extend_from_slice(&input[..taken]);
        if end.is_none() {
            return Ok(Step::Framing(taken));
        }
        let line = std::mem::take(&mut self.line);
        match line.strip_suffix(b"\r\n") {
            None => return Err(Refusal::bad("a line of the trailers ends in LF without CR")),
            Some([]) => self.stage = Stage::Done,
            Some(line) => trailer(line)?,
        }
        Ok(Step::Framing(taken))
    }
}

/// Fields that change how the message is read, or who may ask for it, have no place behind it (RFC 9110, 6.5.1).
const FORBIDDEN: [&str; 6] =
    ["host", "content-length", "transfer-encoding", "trailer", "authorization", "te"];

fn trailer(line: &[u8]) -> Result<(), Refusal> {
    let colon = memchr::memchr(b':', line).ok_or(Refusal::bad("a trailer has no colon"))?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if !is_token(name) {
        return Err(Refusal::bad("the name of a trailer is malformed"));
    }
    if !is_value(value) {
        return Err(Refusal::bad("a trailer contains a control character"));
    }
    if FORBIDDEN.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden.as_bytes())) {
        return Err(Refusal::bad("a trailer has a name that only a header may have"));
    }
    Ok(())
}
