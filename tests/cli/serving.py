"""A running `hail serve`, for the tests of it."""

import re
import signal
import subprocess


class Server:
    """Ended by `with`. Where it listens is a free port of loopback, unless `args` say otherwise.

    `url` is the first that it printed, `urls` are those of the first `lines` lines.
    """

    def __init__(self, hail, *args, lines=1, prefix=(), **popen):
        args = [str(arg) for arg in args]
        where = () if {"-l", "--lan"} & set(args) else ("-l", "127.0.0.1:0")
        self.child = subprocess.Popen([*prefix, hail, "serve", *where, *args], text=True,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, **popen)
        self.urls = [self.next_url() for _ in range(lines)]
        self.url = self.urls[0]
        self.port = int(re.search(r":(\d+)/", self.url)[1])

    def next_url(self):
        line = self.child.stdout.readline()
        found = re.search(r'https?://[^\s"]+', line)
        if not found:
            self.child.kill()
            raise RuntimeError(line + self.child.communicate()[1])
        return found[0]

    def end(self):
        """What else it printed, and what it logged."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.communicate(timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        try:
            self.child.wait(timeout=30)
        finally:
            self.child.kill()
            self.child.wait()
            self.child.stdout.close()
            self.child.stderr.close()
