//! A visit: asks the served pages, as anybody would, how far `serve` has come.

use reqwest::redirect::Policy;
use std::net::SocketAddr;
use std::time::Duration;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Waits until leasewatch at `address` is ready; tells how many lines it has read meanwhile.
pub(super) async fn until_ready(address: SocketAddr, mut each: impl FnMut(u64)) {
    // Never by a proxy: it is this machine.
    let Ok(client) = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build() else { return };
    let get =
        |path: &str| client.get(format!("http://{address}{path}")).timeout(Duration::from_secs(5)).send();
    loop {
        if let Ok(answer) = get("/ready").await
            && answer.status().is_success()
        {
            return;
        }
        if let Ok(answer) = get("/metrics").await
            && let Ok(text) = answer.text().await
        {
            each(lines_read(&text));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Lines of the logs that the metrics say were read.
fn lines_read(metrics: &str) -> u64 {
    let samples = metrics.lines().filter(|line| line.starts_with("leasewatch_log_lines_total{"));
    let numbers = samples.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    numbers.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_logs_add_up() {
        let page = "# TYPE leasewatch_log_lines_total counter\n\
            leasewatch_log_lines_total{source=\"audit\"} 12\nleasewatch_log_lines_total{source=\"server\"} 5\n\
            leasewatch_log_late_total{source=\"audit\"} 9\n";
        assert_eq!(lines_read(page), 17);
    }
}
