//! JSON documents and arrays as one record a line.

use std::io::{self, Read};

/// Bytes read from the inner reader at a time.
const BLOCK_BYTES: usize = 256 * 1024;

/// Reads concatenated, pretty-printed or array-wrapped JSON and gives one value a line.
///
/// A top-level array gives its elements; other top-level values are given as they are. Line
/// breaks between tokens become spaces, so a record never spans lines. Nothing is judged: what
/// is not JSON comes out as a line that the decoder rejects and counts. A line break inside a
/// string (which JSON forbids) stays, for the same reason.
pub(super) struct UnwrapJson<R> {
    inner: R,
    block: Vec<u8>,
    out: Vec<u8>,
    out_read: usize,
    state: State,
    finished: bool,
}

#[derive(Default)]
struct State {
    /// Open brackets and braces, an unwrapping array included.
    depth: u32,
    /// Whether the outermost container is an array whose elements are records.
    in_array: bool,
    in_string: bool,
    escaped: bool,
    /// Whether bytes of a record were written since its last line end.
    open: bool,
}

impl<R: Read> UnwrapJson<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            block: vec![0; BLOCK_BYTES],
            out: Vec::new(),
            out_read: 0,
            state: State::default(),
            finished: false,
        }
    }
}

impl<R: Read> Read for UnwrapJson<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.out_read == self.out.len() && !self.finished {
            self.out.clear();
            self.out_read = 0;
            let got = self.inner.read(&mut self.block)?;
            if got == 0 {
                self.finished = true;
                self.state.end_record(&mut self.out);
            }
            for &byte in self.block.get(..got).unwrap_or_default() {
                self.state.step(byte, &mut self.out);
            }
        }
        let mut ready = self.out.get(self.out_read..).unwrap_or_default();
        let count = ready.read(into)?;
        self.out_read += count;
        Ok(count)
    }
}

impl State {
    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.in_string {
            out.push(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        let record_depth = u32::from(self.in_array);
        match byte {
            b'[' if self.depth == 0 && !self.open => {
                self.in_array = true;
                self.depth = 1;
            }
            b']' if self.in_array && self.depth == 1 => {
                self.end_record(out);
                self.in_array = false;
                self.depth = 0;
            }
            b'{' | b'[' => {
                if self.depth == record_depth {
                    self.end_record(out);
                }
                self.depth += 1;
                self.keep(byte, out);
            }
            b'}' | b']' => {
                self.keep(byte, out);
                self.depth = self.depth.saturating_sub(1).max(record_depth);
                if self.depth == record_depth {
                    self.end_record(out);
                }
            }
            b',' | b'\n' | b'\r' if self.depth == record_depth => self.end_record(out),
            b'\n' | b'\r' | b'\t' | b' ' => {
                if self.open {
                    out.push(b' ');
                }
            }
            _ => {
                self.in_string = byte == b'"';
                self.keep(byte, out);
            }
        }
    }

    fn keep(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.open = true;
        out.push(byte);
    }

    fn end_record(&mut self, out: &mut Vec<u8>) {
        if self.open {
            out.push(b'\n');
        }
        self.open = false;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::UnwrapJson;

    fn check(input: &str, want: &[&str]) {
        let mut got = String::new();
        UnwrapJson::new(input.as_bytes()).read_to_string(&mut got).unwrap();
        let lines: Vec<&str> = got.lines().collect();
        assert_eq!(lines, want, "{input:?}");
        // One byte at a time must give the same.
        let mut slow = String::new();
        let one_by_one = input.bytes().map(|byte| Ok(vec![byte]));
        let mut reader = UnwrapJson::new(Trickle(one_by_one));
        reader.read_to_string(&mut slow).unwrap();
        assert_eq!(slow, got, "{input:?}");
    }

    struct Trickle<I>(I);
    impl<I: Iterator<Item = std::io::Result<Vec<u8>>>> Read for Trickle<I> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let Some(bytes) = self.0.next().transpose()? else { return Ok(0) };
            into[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }
    }

    #[test]
    fn arrays_give_elements_and_documents_give_themselves() {
        check("", &[]);
        check("[]", &[]);
        check("[{\"a\":1},{\"a\":2}]", &["{\"a\":1}", "{\"a\":2}"]);
        check("[\n {\n\"a\": [1,\n2]},\n{}\n]\n", &["{ \"a\": [1, 2]}", "{}"]);
        check("{\"a\":\n1}\n{\"b\":2}{\"c\":3}", &["{\"a\": 1}", "{\"b\":2}", "{\"c\":3}"]);
        check("[{\"a\":1}]\n[{\"a\":2}]", &["{\"a\":1}", "{\"a\":2}"]); // one array a line
    }

    #[test]
    fn brackets_and_quotes_inside_strings_are_text() {
        check(r#"[{"a":"]},{\"["},{"b":"\\"}]"#, &[r#"{"a":"]},{\"["}"#, r#"{"b":"\\"}"#]);
    }

    #[test]
    fn what_is_not_json_comes_out_to_be_counted() {
        check("[1, {\"a\":1}, oops]", &["1", "{\"a\":1}", "oops"]);
        check("{\"a\":1", &["{\"a\":1"]); // cut off
        check("]}", &["]", "}"]);
        check("panic: x\n{\"a\":1}\n", &["panic: x", "{\"a\":1}"]);
    }
}
