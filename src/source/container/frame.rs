//! A frame: what a container runtime puts around a line. Two are known.
//!
//! * CRI (containerd, CRI-O), from the kubelet's log format:
//!   `2026-01-02T03:04:05.123456789Z stdout F text`, with `P` for a part that goes on.
//! * Docker's `json-file`: `{"log":"text\n","stream":"stdout","time":"…"}`, where a part that
//!   goes on has no `\n`.

use serde::Deserialize;
use std::ops::Range;

/// One line of a runtime's file, taken apart.
pub(super) struct Frame {
    pub(super) stream: Stream,
    /// The line ends here; otherwise more of it follows in the stream.
    pub(super) whole: bool,
    pub(super) text: Text,
}

/// Which of the container's outputs.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    Stdout = 0,
    Stderr = 1,
}

/// The framed text.
pub(super) enum Text {
    /// As it stands in the line.
    Part(Range<usize>),
    /// Decoded from JSON.
    Decoded(String),
}

/// Takes a line apart; none if it is not framed.
pub(super) fn frame(line: &[u8]) -> Option<Frame> {
    match line.first()? {
        b'{' if line.starts_with(br#"{"log":""#) => docker(line),
        b'0'..=b'9' => cri(line),
        _ => None,
    }
}

fn cri(line: &[u8]) -> Option<Frame> {
    // Longer than any RFC 3339 time with nanoseconds, both names and the tag.
    let start = &line[..line.len().min(64)];
    let mut fields = start.splitn(4, |byte| *byte == b' ');
    let (time, stream, tag) = (fields.next()?, fields.next()?, fields.next()?);
    let stream = match stream {
        b"stdout" => Stream::Stdout,
        b"stderr" => Stream::Stderr,
        _ => return None,
    };
    if time.len() < 20 || time[4] != b'-' || time[10] != b'T' {
        return None;
    }
    // More tags may follow after colons; the first is the one that counts.
    let whole = match tag.split(|byte| *byte == b':').next()? {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    let before = time.len() + 1 + 6 + 1 + tag.len() + 1;
    Some(Frame { stream, whole, text: Text::Part(before.min(line.len())..line.len()) })
}

#[derive(Deserialize)]
struct DockerLine {
    log: String,
    stream: String,
    // Its presence tells the frame from an application's own JSON.
    #[serde(rename = "time")]
    _time: String,
}

fn docker(line: &[u8]) -> Option<Frame> {
    let mut parsed: DockerLine = serde_json::from_slice(line).ok()?;
    let stream = match parsed.stream.as_str() {
        "stdout" => Stream::Stdout,
        "stderr" => Stream::Stderr,
        _ => return None,
    };
    let whole = parsed.log.ends_with('\n');
    if whole {
        parsed.log.pop();
    }
    Some(Frame { stream, whole, text: Text::Decoded(parsed.log) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_looks_like_a_frame_is_none() {
        for line in [
            "",
            "2026-01-02T03:04:05.123Z",
            "2026-01-02T03:04:05.123Z [INFO]  core: unsealed",
            "2026-01-02T03:04:05.123Z stdout",
            "2026-01-02T03:04:05.123Z stdout X text",
            "1 stdout F text",
            r#"{"log":"no stream"}"#,
            r#"{"log":"cut","stream":"stdo"#,
            r#"{"log":"x","stream":"stdin","time":"2026-01-02T03:04:05Z"}"#,
            r#"{"time":"2026-01-02T03:04:05Z","type":"request"}"#,
        ] {
            assert!(frame(line.as_bytes()).is_none(), "{line}");
        }
    }

    #[test]
    fn tags_may_be_several_and_text_empty() {
        let line = b"2026-01-02T03:04:05.123456789+01:00 stderr F:x ";
        let frame = frame(line).unwrap();
        assert!(frame.whole && matches!(frame.text, Text::Part(range) if range.is_empty()));
    }

    #[test]
    fn bytes_that_are_not_utf8_pass_a_cri_frame() {
        let line = b"2026-01-02T03:04:05.123456789Z stdout P \xff\xfe";
        let frame = frame(line).unwrap();
        assert!(!frame.whole && matches!(frame.text, Text::Part(range) if range.len() == 2));
    }
}
