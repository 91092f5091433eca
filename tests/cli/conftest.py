"""What the tests of the program share: the program itself, a real web server, certificates."""

import os
import pathlib
import shutil
import socket
import subprocess
import time

import pytest

from daemons import free_ports

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(name="hail", scope="session")
def fixture_hail():
    """The program under test: $HAIL, or the one that make left."""
    return os.environ.get("HAIL", str(ROOT / "hail"))


def pick_port():
    return free_ports(1)[0]


@pytest.fixture(name="free_port")
def fixture_free_port():
    """Gives ports of 127.0.0.1 that nothing listened on a moment ago."""
    return pick_port


class Certs:
    """An authority of the test's own, and certificates by it."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.ca, self.ca_key = self.dir / "ca.pem", self.dir / "ca.key"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-keyout", self.ca_key, "-out", self.ca, "-days", "2",
                      "-subj", "/CN=hail test CA")
        self.cert, self.key = self.leaf("leaf")

    @staticmethod
    def _openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=60)

    def leaf(self, name, san="DNS:localhost,IP:127.0.0.1,IP:::1", days=1):
        """A certificate and its key, for the names in `san`; negative days: it has expired."""
        cert, key = self.dir / f"{name}.pem", self.dir / f"{name}.key"
        request, extensions = self.dir / f"{name}.csr", self.dir / f"{name}.ext"
        extensions.write_text(f"subjectAltName={san}\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key,
                      "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", cert)
        return cert, key

    def later(self, name, start, end):
        """A certificate for localhost between two times, and its key."""
        key, request, cert, config = (self.dir / f"{name}.{kind}"
                                      for kind in ("key", "csr", "pem", "cnf"))
        (self.dir / f"{name}.index").write_text("")
        config.write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.dir}/{name}.index\nnew_certs_dir={self.dir}\n"
            "rand_serial=yes\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n"
            "[p]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:localhost\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        self._openssl("ca", "-batch", "-notext", "-config", config, "-cert", self.ca, "-keyfile",
                      self.ca_key, "-in", request, "-out", cert,
                      "-startdate", f"{start:%Y%m%d%H%M%SZ}", "-enddate", f"{end:%Y%m%d%H%M%SZ}")
        return cert, key

    def self_signed(self, name):
        """A certificate for localhost that nobody vouches for, and its key."""
        key, cert = self.dir / f"{name}.key", self.dir / f"{name}.pem"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", f"/CN={name}",
                      "-addext", "subjectAltName=DNS:localhost")
        return cert, key


@pytest.fixture(name="certs", scope="session")
def fixture_certs(tmp_path_factory):
    """ca, cert and key (for localhost, 127.0.0.1 and ::1); leaf() makes further ones."""
    return Certs(tmp_path_factory.mktemp("certs"))


NGINX_CONF = """
daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {dir}/access.log;
    client_body_temp_path {dir}/t1;
    proxy_temp_path {dir}/t2;
    fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4;
    scgi_temp_path {dir}/t5;
    types {{ text/html html; text/plain txt; }}
    default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{port};
        listen 127.0.0.1:{tls_port} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        root {root};
        location /chunked/ {{ alias {root}/; ssi on; ssi_types *; }}
        location = /gone {{ return 410 "gone for good\\n"; }}
        location = /empty {{ return 204; }}
        location = /moved {{ return 301 /index.html; }}
    }}
}}
"""


class Nginx:
    """nginx with HTTP at `port` and HTTPS at `tls_port` of 127.0.0.1, serving the folder `root`.

    /chunked/FILE is FILE in chunks, /gone 410, /empty 204, /moved 301."""

    def __init__(self, directory, certs):
        self.dir, self.root, self.ca = directory, directory / "root", certs.ca
        self.root.mkdir()
        for _ in range(10):  # another process may take a port first
            self._start(certs, pick_port(), pick_port())
            if self._answers():
                return
        raise AssertionError((directory / "error.log").read_text())

    def _start(self, certs, port, tls_port):
        self.port, self.tls_port = port, tls_port
        self.url, self.tls_url = f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}"
        conf = self.dir / "nginx.conf"
        conf.write_text(NGINX_CONF.format(dir=self.dir, root=self.root, port=port,
                                          tls_port=tls_port, cert=certs.cert, key=certs.key))
        self.process = subprocess.Popen(
            [shutil.which("nginx") or "/usr/sbin/nginx", "-p", self.dir, "-c", conf,
             "-e", self.dir / "error.log"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _answers(self):
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as s:
                    s.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
                    if s.recv(5) == b"HTTP/":
                        return self.process.poll() is None
            except OSError:
                pass
            time.sleep(0.01)
        return False

    def file(self, name, content):
        """Puts a file into the root, and returns its content."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return content

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(name="nginx")
def fixture_nginx(tmp_path, certs):
    """An nginx of this test's own: port, tls_port, url, tls_url, root, ca, file()."""
    if not (shutil.which("nginx") or os.path.exists("/usr/sbin/nginx")):
        pytest.skip("nginx is not installed")
    directory = tmp_path / "nginx"
    directory.mkdir()
    server = Nginx(directory, certs)
    yield server
    server.close()
