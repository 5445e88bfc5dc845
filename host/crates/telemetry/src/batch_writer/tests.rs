//! Order, urgency, bounds, and a reader that stops.

use super::*;

/// What a reader has taken. While `paused` is locked it takes nothing.
#[derive(Clone, Default)]
struct Reader {
    taken: Arc<Mutex<Vec<u8>>>,
    paused: Arc<Mutex<()>>,
}

impl Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _running = self.paused.lock();
        self.taken.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader {
    fn text(&self) -> String {
        String::from_utf8(self.taken.lock().clone()).expect("text")
    }
}

fn start() -> (BatchWriter, Reader) {
    let reader = Reader::default();
    let writer = BatchWriter::start(Box::new(reader.clone())).expect("thread");
    (writer, reader)
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn lines_come_out_in_order_by_themselves() {
    let (writer, reader) = start();
    let mut all = String::new();
    for number in 0..1000 {
        let line = format!("line {number}\n");
        writer.push(line.as_bytes(), false);
        all.push_str(&line);
    }
    writer.flush(LONG);
    assert_eq!(reader.text(), all);
}

#[test]
fn what_is_urgent_is_out_at_once_and_behind_what_came_before() {
    let (writer, reader) = start();
    writer.push(b"first\n", false);
    writer.push(b"second\n", true);
    assert_eq!(reader.text(), "first\nsecond\n");
}

#[test]
fn a_reader_that_reads_gets_every_line_and_what_waits_is_bounded() {
    let (writer, reader) = start();
    let line = "x".repeat(1024);
    let lines = 4 * CAPACITY / line.len();
    for _ in 0..lines {
        writer.push(line.as_bytes(), false);
        assert!(writer.shared.queue.lock().lines.len() <= CAPACITY);
    }
    writer.flush(LONG);
    assert_eq!(reader.text().len(), lines * line.len());
    assert_eq!(writer.shared.queue.lock().dropped, 0);
}

#[test]
fn a_reader_that_stops_costs_lines_and_stops_nobody() {
    let (writer, reader) = start();
    let paused = reader.paused.lock();
    let line = "x".repeat(1024);
    // One wait in all, not one for each of these lines, urgent or not.
    for number in 0..4 * CAPACITY / line.len() {
        writer.push(line.as_bytes(), number % 7 == 0);
    }
    let dropped = writer.shared.queue.lock().dropped;
    assert!(dropped > 0);
    drop(paused);
    writer.flush(LONG);
    writer.push(b"again\n", true);
    assert!(reader.text().ends_with("again\n"), "it reads again");
    assert_eq!(
        writer.shared.queue.lock().dropped,
        0,
        "the dropped ones are reported"
    );
}
