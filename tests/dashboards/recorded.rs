//! A recorded page of metrics that answers whoever scrapes it. Its counters rise by one from
//! each scrape to the next; what it holds is what a demo never has.

use crate::repository;
use crate::support::exposition::{Labels, Metrics};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

/// The page, served until it is dropped.
pub(crate) struct Recorded {
    page: Metrics,
    port: u16,
    stop: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Recorded {
    pub(crate) fn start() -> Self {
        let text = std::fs::read_to_string(repository("tests/data/dashboards.txt")).unwrap();
        let page = Metrics::parse(&text);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::new(AtomicBool::new(false));
        let (served, asked) = (page.clone(), Arc::clone(&stop));
        let serving = std::thread::spawn(move || {
            for (scrape, connection) in (0_u32..).zip(listener.incoming()) {
                if asked.load(Ordering::Relaxed) {
                    break;
                }
                // A scraper that goes away is none of our business.
                let Ok(mut connection) = connection else { continue };
                let _ = connection.read(&mut [0; 4096]);
                let body = at(&served, scrape);
                let head = format!(
                    "HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let _ = connection
                    .write_all(head.as_bytes())
                    .and_then(|()| connection.write_all(body.as_bytes()));
            }
        });
        Self { page, port, stop, serving: Some(serving) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The leases of the page as they were a week ago, for the next hour, in `OpenMetrics` text.
    pub(crate) fn a_week_ago(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut text = "# TYPE leasewatch_leases gauge\n".to_owned();
        for (labels, value) in self.page.matching("leasewatch_leases", &[]) {
            for minute in 0..75 {
                let at = now - 7 * 86_400 - 900 + minute * 60;
                writeln!(text, "leasewatch_leases{{cluster=\"recorded\",{}}} {value} {at}", written(labels))
                    .unwrap();
            }
        }
        text + "# EOF\n"
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes it up, to see that it is over.
        let _ = std::net::TcpStream::connect(("127.0.0.1", self.port));
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

/// The page as it is at a scrape.
fn at(page: &Metrics, scrape: u32) -> String {
    let mut text = String::new();
    for ((name, labels), value) in &page.series {
        let rises = page.kinds.get(name).is_some_and(|kind| kind == "counter");
        let value = if rises { value + f64::from(scrape) } else { *value };
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        writeln!(text, "{name}{{{}}} {value}", labels.join(",")).unwrap();
    }
    text
}

/// Labels as a page has them.
fn written(labels: &Labels) -> String {
    let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
    labels.join(",")
}
