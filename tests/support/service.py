# SPDX-License-Identifier: Apache-2.0
"""A running affinityd."""

import signal
import socket
import subprocess
import threading
import time

import requests

from .programs import environment

STOP_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """affinityd on a free port; what it writes goes to `log_path`."""

    def __init__(self, build, database, log_path, *, arguments=(), env=None, config=None):
        config = dict(config or {})
        self.port = int(config.setdefault("http_port", free_port()))
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = log_path
        self.expect_clean_end = True
        self.sessions = threading.local()
        self.opened = []  # sessions of all threads; list.append is atomic
        settings = {f"AFFINITY_{name.upper()}": spell(value) for name, value in config.items()}
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(
                [str(build / "affinityd"), *map(str, arguments)],
                env=environment(database, {**settings, **(env or {})}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def session(self):
        """The connection pool of the calling thread, which ignores proxies of the environment."""
        if not hasattr(self.sessions, "one"):
            self.sessions.one = requests.Session()
            self.sessions.one.trust_env = False
            self.opened.append(self.sessions.one)
        return self.sessions.one

    def request(self, method, path, **options):
        options.setdefault("timeout", 30)
        return self.session().request(method, self.url + path, **options)

    def get(self, path, **params):
        """GET with query parameters; a list repeats its name."""
        return self.request("GET", path, params=params)

    def post(self, path, json=None, **options):
        return self.request("POST", path, json=json, **options)

    def wait(self, what="ready", timeout=30):
        """Waits until the service is "ready" or "live"; fails with its log when it ends or takes too long."""
        if what is None:
            return
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"affinityd ended with status {self.process.returncode}:\n{self.log()}")
            try:
                if self.request("GET", f"/health/{what}", timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.02)
        raise AssertionError(f"affinityd is not {what} after {timeout} s:\n{self.log()}")

    def disconnect(self):
        """Closes the connections of all threads: a service that drains waits for them, and Python complains of those
        that nobody closed."""
        for session in self.opened:
            session.close()

    def stop(self, number=signal.SIGTERM):
        """Sends a signal and returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(STOP_S)

    def kill(self):
        self.expect_clean_end = False
        self.process.kill()
        self.process.wait(STOP_S)
        self.disconnect()

    def finish(self):
        """Ends the service after its test. Unless the test has ended it, it must have been alive and end clean."""
        alive = self.process.poll() is None
        self.disconnect()
        try:
            status = self.stop()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"affinityd did not end within {STOP_S} s of SIGTERM:\n{self.log()}")
        log = self.log()
        assert "Sanitizer" not in log and "runtime error:" not in log, log
        if alive and self.expect_clean_end:
            assert status == 0, f"affinityd ended with status {status}:\n{log}"


def spell(value):
    """A configuration value as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
