//! The file beside the state file that carries the histories of plots over a restart.
//!
//! It is worth less than the state and larger, so it is a file of its own: nothing waits for it, and a file that cannot be read is
//! replaced. It is written whole beside its place, synced and put there, so that a crash leaves the one before.
//!
//! ```text
//! magic      8 bytes  SQSWPAST
//! version    u32      1
//! gzip, with its own checksum, of
//!   for each queue: 1, the account, the region and the name (u16 and bytes each), a u32 and the history's bytes
//!   0 at the end
//! ```
//! Numbers are little-endian. A length in the file is a claim: nothing is allocated by it beyond what a history can take.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use crate::domain::history::History;
use crate::domain::history::bytes::MAX_BYTES;
use crate::domain::queue::QueueId;

const MAGIC: [u8; 8] = *b"SQSWPAST";
const VERSION: u32 = 1;
/// The longest account, region or name; AWS's are shorter by far.
const MAX_NAME: usize = 1024;
/// Ten times as many as one daemon is made for.
const MAX_QUEUES: usize = 100_000;

/// Why a file of histories is not used.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is something else.
    #[error("it is not a file of sqswatch's")]
    Foreign,
    /// A later version of the program wrote it.
    #[error("it is of a later version: format {0}, and this one knows {VERSION}")]
    Later(u32),
    /// It ends early, or its checksum or its content is wrong.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

/// Where the histories are that belong to the state file at `store`.
pub fn beside(store: &Path) -> PathBuf {
    with_ending(store, ".history")
}

/// All histories of the file at `path`; none when there is no file.
///
/// # Errors
/// When there is one that cannot be used as a whole.
pub fn read(path: &Path) -> Result<BTreeMap<QueueId, History>, PastError> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(PastError::Foreign),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    }
    read_from(BufReader::new(File::open(path)?))
}

fn read_from(mut file: impl BufRead) -> Result<BTreeMap<QueueId, History>, PastError> {
    let (mut magic, mut version) = ([0; MAGIC.len()], [0; 4]);
    exactly(&mut file, &mut magic).map_err(foreign_if_damaged)?;
    if magic != MAGIC {
        return Err(PastError::Foreign);
    }
    exactly(&mut file, &mut version)?;
    match u32::from_le_bytes(version) {
        VERSION => {}
        later => return Err(PastError::Later(later)),
    }
    let mut records = GzDecoder::new(file);
    let mut histories = BTreeMap::new();
    while let Some((id, history)) = record(&mut records)? {
        histories.insert(id, history);
        if histories.len() > MAX_QUEUES {
            return Err(PastError::Damaged("it has too many queues"));
        }
    }
    // Only at the end of the stream is its checksum compared.
    let more = records.read(&mut [0]).map_err(damaged)?;
    let behind = records.into_inner().fill_buf()?.len();
    if more + behind > 0 { Err(PastError::Damaged("something follows its end")) } else { Ok(histories) }
}

fn foreign_if_damaged(error: PastError) -> PastError {
    if matches!(error, PastError::Damaged(_)) { PastError::Foreign } else { error }
}

/// The next queue; `None` at the end.
fn record(from: &mut impl Read) -> Result<Option<(QueueId, History)>, PastError> {
    let mut more = [0];
    exactly(from, &mut more)?;
    match more {
        [0] => return Ok(None),
        [1] => {}
        _ => return Err(PastError::Damaged("a queue begins with neither 0 nor 1")),
    }
    let id = QueueId::new(name(from)?, name(from)?, name(from)?);
    let mut length = [0; 4];
    exactly(from, &mut length)?;
    let bytes = bytes(from, u32::from_le_bytes(length) as usize, MAX_BYTES)?;
    let history = History::read_from(&bytes).ok_or(PastError::Damaged("a history makes no sense"))?;
    Ok(Some((id, history)))
}

fn name(from: &mut impl Read) -> Result<String, PastError> {
    let mut length = [0; 2];
    exactly(from, &mut length)?;
    let bytes = bytes(from, u16::from_le_bytes(length).into(), MAX_NAME)?;
    String::from_utf8(bytes).map_err(|_| PastError::Damaged("a name is no text"))
}

fn bytes(from: &mut impl Read, length: usize, most: usize) -> Result<Vec<u8>, PastError> {
    if length > most {
        return Err(PastError::Damaged("a length is too large"));
    }
    let mut bytes = vec![0; length];
    exactly(from, &mut bytes)?;
    Ok(bytes)
}

fn exactly(from: &mut impl Read, bytes: &mut [u8]) -> Result<(), PastError> {
    from.read_exact(bytes).map_err(damaged)
}

/// What the decoder finds wrong is the file's fault; the rest is the disk's.
fn damaged(error: io::Error) -> PastError {
    match error.kind() {
        ErrorKind::UnexpectedEof => PastError::Damaged("it ends too early"),
        ErrorKind::InvalidInput | ErrorKind::InvalidData => {
            PastError::Damaged("its content does not match its checksum")
        }
        _ => PastError::Unreadable(error),
    }
}

/// Replaces the file at `path`; says how many bytes it has now.
///
/// # Errors
/// When the disk does not take it; then the file is as it was.
pub fn write(path: &Path, histories: impl IntoIterator<Item = (QueueId, History)>) -> io::Result<u64> {
    let new = with_ending(path, ".new");
    let written = write_new(&new, histories).and_then(|length| {
        fs::rename(&new, path)?;
        sync_directory(path);
        Ok(length)
    });
    if written.is_err() {
        let _ = fs::remove_file(&new); // it may never have been there
    }
    written
}

fn write_new(path: &Path, histories: impl IntoIterator<Item = (QueueId, History)>) -> io::Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    write_to(&mut file, histories)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn write_to(to: &mut impl Write, histories: impl IntoIterator<Item = (QueueId, History)>) -> io::Result<()> {
    to.write_all(&MAGIC)?;
    to.write_all(&VERSION.to_le_bytes())?;
    let mut packed = GzEncoder::new(to, Compression::fast());
    let (mut bytes, mut history_bytes) = (Vec::new(), Vec::new());
    for (id, history) in histories {
        bytes.clear();
        bytes.push(1);
        for part in [&id.account, &id.region, &id.name] {
            bytes.extend((part.len() as u16).to_le_bytes());
            bytes.extend(part.as_bytes());
        }
        history_bytes.clear();
        history.write_to(&mut history_bytes);
        bytes.extend((history_bytes.len() as u32).to_le_bytes());
        packed.write_all(&bytes)?;
        packed.write_all(&history_bytes)?;
    }
    packed.write_all(&[0])?;
    packed.finish().map(drop)
}

/// The name of the file is on disk as well; where a directory cannot be synced, it comes to be by itself.
fn sync_directory(path: &Path) {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let _ = File::open(directory.unwrap_or(Path::new("."))).and_then(|directory| directory.sync_all());
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::domain::metric::Metric;
    use crate::domain::time::Timestamp;

    fn histories(count: usize) -> BTreeMap<QueueId, History> {
        let one = |n: usize| {
            let mut history = History::default();
            for minute in 0..100 {
                let at = Timestamp::from_secs(1_767_323_040 + minute * 60);
                history.read(Metric::MessagesVisible, at, (minute * 37 + n as i64) as f64);
                history.read(Metric::MessagesDelayed, at, 0.0);
            }
            (QueueId::new("123456789012", "eu-west-1", format!("<é\u{202e}>-{n}")), history)
        };
        (0..count).map(one).collect()
    }

    fn packed(histories: BTreeMap<QueueId, History>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_to(&mut bytes, histories).unwrap();
        bytes
    }

    fn why(bytes: &[u8]) -> String {
        read_from(Cursor::new(bytes)).expect_err("it was taken").to_string()
    }

    /// A file whose content is `plain`, sound as far as gzip goes.
    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut packed =
            GzEncoder::new([MAGIC.as_slice(), &VERSION.to_le_bytes()].concat(), Compression::fast());
        packed.write_all(plain).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn what_was_written_is_read_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = beside(&folder.path().join("state.redb"));
        assert!(path.ends_with("state.redb.history") && read(&path).unwrap().is_empty());
        for count in [3, 0, 20] {
            let length = write(&path, histories(count)).unwrap();
            assert_eq!(length, fs::metadata(&path).unwrap().len());
            assert_eq!(read(&path).unwrap(), histories(count));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_disk_that_refuses_leaves_the_file_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = beside(&folder.path().join("state.redb"));
        write(&path, histories(3)).unwrap();
        fs::create_dir(with_ending(&path, ".new")).unwrap();
        assert!(write(&path, histories(5)).is_err());
        assert_eq!(read(&path).unwrap(), histories(3));
        assert!(write(&folder.path().join("missing/state"), histories(1)).is_err());
    }

    #[test]
    fn whatever_is_wrong_with_a_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read(folder.path()), Err(PastError::Foreign)), "a directory");
        let whole = packed(histories(2));
        let mut later = whole.clone();
        later[8] = 7;
        let name = |length: u16| [&[1], length.to_le_bytes().as_slice(), b"x"].concat();
        let long_history =
            [&[1, 1, 0, b'a', 1, 0, b'b', 1, 0, b'c'], u32::MAX.to_le_bytes().as_slice()].concat();
        for (bytes, expected) in [
            (vec![], "not a file of sqswatch's"),
            (b"SQS".to_vec(), "not a file of sqswatch's"),
            (b"\x1f\x8b\x08 a gzip of somebody else's".to_vec(), "not a file of sqswatch's"),
            (later, "later version: format 7"),
            (whole[..10].to_vec(), "ends too early"),
            ([whole.as_slice(), b"x"].concat(), "something follows"),
            (sealed(b""), "ends too early"),
            (sealed(&[2]), "neither 0 nor 1"),
            (sealed(&[0, 0]), "something follows"),
            (sealed(&name(u16::MAX)), "a length is too large"),
            (sealed(&name(2)), "ends too early"),
            (sealed(&[1, 1, 0, 0xff]), "a name is no text"),
            (sealed(&long_history), "a length is too large"),
        ] {
            let why = why(&bytes);
            assert!(why.contains(expected), "{expected}: {why}");
        }
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_noticed() {
        let whole = packed(histories(1));
        for length in 0..whole.len() {
            why(&whole[..length]);
        }
        // Of gzip's header and of the last byte of its stream not every bit means something.
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 0x10;
            if let Ok(read) = read_from(Cursor::new(changed)) {
                assert!(read == histories(1), "byte {place}");
            }
        }
    }

    #[test]
    fn a_small_file_that_unpacks_to_endless_queues_is_given_up() {
        let mut plain = Vec::new();
        for n in 0..=MAX_QUEUES {
            let name = n.to_string();
            plain.extend([1, 0, 0, 0, 0, name.len() as u8, 0]);
            plain.extend(name.as_bytes());
            let mut history = Vec::new();
            History::default().write_to(&mut history);
            plain.extend((history.len() as u32).to_le_bytes());
            plain.extend(history);
        }
        assert!(why(&sealed(&plain)).contains("too many queues"));
    }
}
