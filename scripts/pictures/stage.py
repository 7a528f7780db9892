"""What is drawn from: a demo with its past, and a Prometheus that holds it and goes on scraping."""

import contextlib
import shutil
import socket
import subprocess
import time
import urllib.request


def tool(name, remedy):
    """Where a program is."""
    found = shutil.which(name)
    if not found:
        raise SystemExit(f"{name} is missing: {remedy}")
    return found


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(command, log):
    """A process that ends with the block."""
    with open(log, "w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def until(what, process, look, limit=600):
    """Waits for something of a process, which must not end before."""
    end = time.time() + limit
    while time.time() < end:
        if process.poll() is not None:
            raise SystemExit(f"{what}: it ended with {process.returncode}")
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise SystemExit(f"{what}: not after {limit} s")


def page_of(log):
    """The demo's address, once it says it."""
    lines = log.read_text().splitlines()
    return next((line.split()[1].rstrip("/") for line in lines if line.startswith("Page ")), None)


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


@contextlib.contextmanager
def prometheus(folder, leasewatch, minutes, say):
    """The address of a Prometheus with four weeks of a demo, and some minutes of it live."""
    promtool, server = (tool(name, "apt-get install prometheus") for name in ("promtool", "prometheus"))
    past, log = folder / "past.om", folder / "demo.log"
    say("the demo makes its past")
    command = [leasewatch, "demo", "--web.listen-address", "127.0.0.1:0", "--openmetrics", str(past)]
    with running(command, log) as demo:
        page = until("the demo", demo, lambda: page_of(log))
        say("Prometheus takes it")
        subprocess.run([promtool, "tsdb", "create-blocks-from", "--max-block-duration=768h", "openmetrics", str(past),
                        str(folder / "data")], check=True, stdout=subprocess.DEVNULL)
        past.unlink()
        config = folder / "prometheus.yml"
        target = page.removeprefix("http://")
        config.write_text("global: {scrape_interval: 15s}\nscrape_configs:\n- job_name: leasewatch\n"
                          f"  static_configs: [{{targets: ['{target}']}}]\n")
        address = f"127.0.0.1:{free_port()}"
        command = [server, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
                   "--storage.tsdb.retention.time=90d", f"--web.listen-address={address}"]
        with running(command, folder / "prometheus.log") as process:
            until("Prometheus", process, lambda: answers(f"http://{address}/-/ready"))
            say(f"{minutes} minutes go by")
            time.sleep(minutes * 60)
            yield f"http://{address}"
