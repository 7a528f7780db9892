//! The content of one file: its bytes as the writer wrote them, whether plain or compressed.
//!
//! Plain files are read by offset and may still grow; compressed ones only forwards, once.

use super::position::{FileId, HEAD_LIMIT, Mark};
use flate2::read::MultiGzDecoder;
use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// What is read of a compressed file at once.
const COMPRESSED_CHUNK: usize = 64 * 1024;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// Not at all.
    None,
    /// gzip, of several members too.
    Gzip,
    /// Zstandard, of several frames too.
    Zstd,
    /// xz, of several streams too.
    Xz,
    /// bzip2, of several streams too.
    Bzip2,
}

impl Compression {
    /// By a file's first bytes; where there are fewer than four, by its name.
    pub(crate) fn of(start: &[u8], path: &Path) -> Self {
        match start {
            [0x1f, 0x8b, _, _, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            [_, _, _, _, ..] => Self::None,
            _ => Self::by_name(path),
        }
    }

    /// What a file's name says.
    pub(crate) fn by_name(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            Some("xz") => Self::Xz,
            Some("bz2") => Self::Bzip2,
            _ => Self::None,
        }
    }

    /// Decodes what `reader` gives.
    pub(crate) fn decoder<'a, R: Read + Send + 'a>(self, reader: R) -> io::Result<Box<dyn Read + Send + 'a>> {
        let reader = BufReader::with_capacity(COMPRESSED_CHUNK, reader);
        Ok(match self {
            Self::None => Box::new(reader),
            Self::Gzip => Box::new(MultiGzDecoder::new(reader)),
            Self::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(reader)?),
            Self::Xz => Box::new(lzma_rust2::XzReader::new(reader, true)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(reader)),
        })
    }
}

/// One open file.
pub(crate) struct Content {
    file: File,
    id: FileId,
    decoder: Option<Box<dyn Read + Send>>,
    /// How far the decoder is.
    decoded: u64,
}

impl Content {
    /// Opens a file for reading from its beginning.
    ///
    /// # Errors
    /// Those of opening it; `InvalidInput` if it is no regular file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // Before it is opened: opening a named pipe would wait for its writer.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let file = File::open(path)?;
        let id = id_of(&file.metadata()?);
        let mut start = [0; 4];
        let start_len = read_at_full(&file, 0, &mut start)?;
        let decoder = match Compression::of(&start[..start_len], path) {
            Compression::None => None,
            compression => Some(compression.decoder(file.try_clone()?)?),
        };
        Ok(Self { file, id, decoder, decoded: 0 })
    }

    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.decoder.is_none()
    }

    /// The file as it is now.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Reads some bytes at `offset`; 0 at the end. A compressed file goes forwards only.
    pub(crate) fn read(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.decoder else {
            return retry(|| self.file.read_at(into, offset));
        };
        while self.decoded < offset {
            let n = usize::try_from(offset - self.decoded).unwrap_or(usize::MAX);
            let room = n.min(into.len());
            match retry(|| decoder.read(&mut into[..room]))? {
                0 => return Ok(0),
                n => self.decoded += n as u64,
            }
        }
        if self.decoded > offset {
            return Err(io::Error::other("a compressed file is only read forwards"));
        }
        let n = retry(|| decoder.read(into))?;
        self.decoded += n as u64;
        Ok(n)
    }

    /// Reads at `offset` until `into` is full or the file ends.
    pub(crate) fn read_full(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < into.len() {
            match self.read(offset + filled as u64, &mut into[filled..])? {
                0 => break,
                n => filled += n,
            }
        }
        Ok(filled)
    }
}

/// The mark of the first line of a file; none while it has no end (nor is longer than what is
/// hashed), or differs from `expected` in length.
///
/// # Errors
/// Those of reading it.
pub(crate) fn head(content: &mut Content) -> io::Result<Option<Mark>> {
    let mut start = vec![0; HEAD_LIMIT];
    let len = content.read_full(0, &mut start)?;
    let line = match memchr::memchr(b'\n', &start[..len]) {
        Some(end) => &start[..=end],
        None if len == HEAD_LIMIT => &start[..],
        None => return Ok(None),
    };
    Ok(Some(Mark::head(line)))
}

/// Whether a file begins with the line that `mark` is of.
///
/// # Errors
/// Those of reading it.
pub(crate) fn has_head(content: &mut Content, mark: Mark) -> io::Result<bool> {
    let mut start = vec![0; mark.len as usize];
    let len = content.read_full(0, &mut start)?;
    Ok(len == start.len() && Mark::of(&start) == mark)
}

/// Device and inode.
pub(crate) fn id_of(metadata: &Metadata) -> FileId {
    FileId { dev: metadata.dev(), ino: metadata.ino() }
}

/// When it was last written to, in nanoseconds since 1970.
pub(crate) fn modified(metadata: &Metadata) -> u64 {
    let seconds = u64::try_from(metadata.mtime()).unwrap_or(0);
    let nanos = u64::try_from(metadata.mtime_nsec()).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

fn read_at_full(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match retry(|| file.read_at(&mut into[filled..], offset + filled as u64))? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}

fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn xz(bytes: &[u8]) -> Vec<u8> {
        let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn bzip2(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_content_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let text = b"first\nsecond\n";
        let gz = [gzip(b"first\n"), gzip(b"second\n")].concat();
        for (name, bytes) in [
            ("plain", text.to_vec()),
            ("a.gz", gz),
            ("named-otherwise", gzip(text)),
            ("a.zst", zstd::encode_all(&text[..], 1).unwrap()),
            ("a.xz", [xz(b"first\n"), xz(b"second\n")].concat()),
            ("a.bz2", [bzip2(b"first\n"), bzip2(b"second\n")].concat()),
        ] {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let mut content = Content::open(&path).unwrap();
            assert_eq!(head(&mut content).unwrap(), Some(Mark::of(b"first\n")));
            let mut content = Content::open(&path).unwrap();
            assert!(has_head(&mut content, Mark::of(b"first\n")).unwrap());
            let mut content = Content::open(&path).unwrap();
            let mut into = [0; 20];
            let n = content.read_full(6, &mut into).unwrap();
            assert_eq!(&into[..n], b"second\n", "{name}");
        }
    }

    #[test]
    fn a_head_without_its_end_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        std::fs::write(&path, "no end").unwrap();
        assert_eq!(head(&mut Content::open(&path).unwrap()).unwrap(), None);
        std::fs::write(&path, "x".repeat(HEAD_LIMIT + 1)).unwrap();
        assert!(head(&mut Content::open(&path).unwrap()).unwrap().is_some());
    }

    #[test]
    fn what_is_no_file_is_refused_without_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let error = Content::open(dir.path()).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
