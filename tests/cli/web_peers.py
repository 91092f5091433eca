"""Web servers, each with the same small site, for test_get_servers.py.

    /a.txt /big.bin /n/0 ... /n/19   files, see FILES
    /dir                             a folder: a redirect to /dir/, which is index.html
    /echo                            through the server to Python, which sends the content back
    /private/a.txt                   of the first three: for the user me with the password secret
"""

import contextlib
import hashlib
import http.server
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest

from daemons import Daemon, program

TEXT = b"".join(b"line %d of a text that compresses\n" % i for i in range(5000))
BIG = hashlib.shake_128(b"big").digest(3 << 20)
FILES = {"a.txt": TEXT, "big.bin": BIG, "dir/index.html": b"<p>index\n", "empty.txt": b"",
         "private/a.txt": TEXT, **{f"n/{i}": b"number %d\n" % i for i in range(20)}}


class Echo(http.server.BaseHTTPRequestHandler):
    """Sends back the content, and tells of the request in X- fields."""

    protocol_version, wbufsize = "HTTP/1.1", -1  # head and content in one segment

    def content(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(pieces)

    def handle_expect_100(self):
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def answer(self):
        content = self.content()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("X-Method", self.command)
        self.send_header("X-Type", self.headers.get("Content-Type", "none"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def python_server(handler):
    """A server of Python's with this handler; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=30)


class Relay:
    """Passes connections on to a port; the first is cut after so many bytes of the responses, those
    that follow at once, as long as it is not `mended`.

    `passed` has a number for each connection: the bytes that went to the client."""

    def __init__(self, port, cut, mended=True):
        self.to, self.cut, self.passed, self.mended = port, cut, [], mended
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                self.passed.append(0)
                limit = self.cut if len(self.passed) == 1 else self.mended << 40
                threading.Thread(target=self.connection, args=(client, len(self.passed) - 1, limit),
                                 daemon=True).start()

    def connection(self, client, number, limit):
        with client, socket.create_connection(("127.0.0.1", self.to), timeout=30) as server:
            threading.Thread(target=self.requests, args=(client, server), daemon=True).start()
            with contextlib.suppress(OSError):
                while self.passed[number] < limit:
                    data = server.recv(min(65536, limit - self.passed[number]))
                    if not data:
                        break
                    client.sendall(data)
                    self.passed[number] += len(data)
            for end in (client, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def requests(client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(timeout=30)


class Site(Daemon):
    """A web server with the files; `echo` is the port of Echo's server."""

    TLS = SIX = UNIX = ECHO = RANGES = PERSISTENT = True
    CODINGS = ()

    def __init__(self, directory, certs, echo):
        self.echo, self.ca, self.port6 = echo, certs.ca, 0
        super().__init__(directory, certs)
        self.url, self.url6 = f"http://127.0.0.1:{self.port}", f"http://[::1]:{self.port6}"
        self.tls_url, self.unix = f"https://127.0.0.1:{self.tls_port}", self.dir / "s"

    def prepare(self):
        self.root = self.dir / "root"
        for name, content in FILES.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (1e9, 1e9))  # httpd has no strong ETag for what has just changed
        (self.dir / "s").unlink(missing_ok=True)
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
            self.port6 = s.getsockname()[1]
        return self.command()  # which writes the configuration

    def command(self):
        raise NotImplementedError

    def places(self):
        yield socket.AF_INET, ("127.0.0.1", self.port)
        if self.TLS:
            yield socket.AF_INET, ("127.0.0.1", self.tls_port)
        if self.SIX:
            yield socket.AF_INET6, ("::1", self.port6)
        if self.UNIX:
            yield socket.AF_UNIX, str(self.dir / "s")

    def listens(self):
        end = time.monotonic() + 20
        for family, place in self.places():
            while True:
                with socket.socket(family) as s:
                    if s.connect_ex(place) == 0:
                        break
                if time.monotonic() > end or self.process.poll() is not None:
                    return False
                time.sleep(0.02)
        return self.process.poll() is None


def crypted(password):
    return subprocess.run(["openssl", "passwd", "-apr1", password], check=True, text=True,
                          capture_output=True, timeout=30).stdout.strip()


class Nginx(Site):
    CODINGS = ("gzip",)

    def command(self):
        nginx = program("nginx", "nginx-light")
        self.write("users", f"me:{crypted('secret')}\n")
        temp = "".join(f"{kind}_temp_path {self.dir}/t-{kind};\n" for kind in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = self.write("nginx.conf", f"""daemon off;
master_process off;
pid {self.dir}/pid;
events {{}}
http {{
    {temp}
    access_log off;
    types {{ text/plain txt; text/html html; }}
    gzip on;
    gzip_types text/plain;
    server {{
        listen 127.0.0.1:{self.port};
        listen [::1]:{self.port6};
        listen 127.0.0.1:{self.tls_port} ssl;
        listen unix:{self.dir}/s;
        ssl_certificate {self.dir}/cert.pem;
        ssl_certificate_key {self.dir}/key.pem;
        client_max_body_size 8m;
        root {self.root};
        location /echo {{ proxy_pass http://127.0.0.1:{self.echo}; }}
        location /private/ {{ auth_basic here; auth_basic_user_file {self.dir}/users; }}
    }}
}}
""")
        return [nginx, "-p", self.dir, "-c", conf, "-e", "stderr"]


class Apache(Site):
    """Also /digest/ as /private/, /dav/ for PUT and DELETE, /cgi/count that answers in chunks."""

    NEEDS_ROOT = True  # to become another user, who sees the folder as /mnt
    UNIX = False
    CODINGS = ("br", "gzip")
    MODULES = ("mpm_event authn_core authn_file authz_core authz_user auth_basic auth_digest alias "
               "dir mime filter deflate brotli ssl proxy proxy_http dav dav_fs cgid env")

    def command(self):
        apache, modules = program("apache2", "apache2"), pathlib.Path("/usr/lib/apache2/modules")
        self.write("users", f"me:{crypted('secret')}\n")
        self.write("digests", f"me:here:{hashlib.md5(b'me:here:secret').hexdigest()}\n")
        for name in ("run", "locks", "root/dav", "root/digest"):
            (self.dir / name).mkdir(exist_ok=True)
        (self.root / "digest/a.txt").write_bytes(TEXT)
        for name in ("run", "locks", "root/dav"):
            shutil.chown(self.dir / name, "www-data", "www-data")
        count = self.write("count", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\n"
                           "i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i + 1)); done\n")
        count.chmod(0o755)
        load = "".join(f"LoadModule {m}_module {modules}/mod_{m}.so\n"
                       for m in self.MODULES.split())
        self.write("httpd.conf", f"""{load}
ServerName localhost
ServerRoot /mnt
PidFile /mnt/run/pid
DefaultRuntimeDir /mnt/run
ScriptSock /mnt/run/cgi
ErrorLog /mnt/log
User www-data
Group www-data
Listen 127.0.0.1:{self.port}
Listen [::1]:{self.port6}
Listen 127.0.0.1:{self.tls_port}
DocumentRoot /mnt/root
TypesConfig /dev/null
AddType text/plain .txt
DirectoryIndex index.html
DavLockDB /mnt/locks/db
ScriptAlias /cgi/count /mnt/count
ProxyPass /echo http://127.0.0.1:{self.echo}/echo
AddOutputFilterByType BROTLI_COMPRESS;DEFLATE text/plain
<Directory /mnt/root/dav>
    Dav On
</Directory>
<Directory /mnt/root/private>
    AuthType Basic
    AuthName here
    AuthUserFile /mnt/users
    Require valid-user
</Directory>
<Directory /mnt/root/digest>
    AuthType Digest
    AuthName here
    AuthUserFile /mnt/digests
    Require valid-user
</Directory>
<VirtualHost 127.0.0.1:{self.tls_port}>
    SSLEngine on
    SSLCertificateFile /mnt/cert.pem
    SSLCertificateKeyFile /mnt/key.pem
</VirtualHost>
""")
        return self.in_place(apache, "-X", "-d", "/mnt", "-f", "/mnt/httpd.conf")


class Caddy(Site):
    CODINGS = ("gzip", "zstd")

    def command(self):
        conf = self.write("Caddyfile", f"""{{
    admin off
    auto_https off
}}
(site) {{
    root * {self.root}
    encode gzip zstd
    reverse_proxy /echo* 127.0.0.1:{self.echo}
    file_server
}}
http://:{self.port} {{
    bind 127.0.0.1
    import site
}}
http://:{self.port6} {{
    bind ::1
    import site
}}
http:// {{
    bind unix/{self.dir}/s
    import site
}}
https://:{self.tls_port} {{
    bind 127.0.0.1
    tls {self.dir}/cert.pem {self.dir}/key.pem
    import site
}}
""")
        return ["env", f"HOME={self.dir}", program("caddy", "caddy"), "run", "--config", conf,
                "--adapter", "caddyfile"]


class Lighttpd(Site):
    CODINGS = ("gzip",)

    def command(self):
        lighttpd = program("lighttpd", "lighttpd")
        for module in ("openssl", "deflate"):
            if not os.path.exists(f"/usr/lib/lighttpd/mod_{module}.so"):
                pytest.skip(f"lighttpd has no {module} (lighttpd-mod-{module})")
        self.write("users", "me:secret\n")
        conf = self.write("lighttpd.conf", f"""
server.modules = ("mod_auth", "mod_authn_file", "mod_deflate", "mod_proxy", "mod_openssl")
server.document-root = "{self.root}"
server.bind = "127.0.0.1"
server.port = {self.port}
server.upload-dirs = ("{self.dir}")
index-file.names = ("index.html")
mimetype.assign = (".txt" => "text/plain", ".html" => "text/html", "" => "text/other")
deflate.mimetypes = ("text/plain")
deflate.allowed-encodings = ("gzip")
auth.backend = "plain"
auth.backend.plain.userfile = "{self.dir}/users"
$HTTP["url"] =~ "^/private/" {{
    auth.require = ("" => ("method" => "basic", "realm" => "here", "require" => "valid-user"))
}}
$HTTP["url"] =~ "^/digest/" {{
    auth.require = ("" => ("method" => "digest", "realm" => "here", "require" => "valid-user",
                           "algorithm" => "SHA-256"))
}}
$HTTP["url"] =~ "^/echo" {{
    proxy.server = ("" => (("host" => "127.0.0.1", "port" => {self.echo})))
}}
$SERVER["socket"] == "[::1]:{self.port6}" {{ }}
$SERVER["socket"] == "{self.dir}/s" {{ }}
$SERVER["socket"] == "127.0.0.1:{self.tls_port}" {{
    ssl.engine = "enable"
    ssl.pemfile = "{self.dir}/cert.pem"
    ssl.privkey = "{self.dir}/key.pem"
}}
""")
        (self.root / "digest").mkdir(exist_ok=True)
        (self.root / "digest/a.txt").write_bytes(TEXT)
        return [lighttpd, "-D", "-f", conf]


class H2o(Site):
    CODINGS = ("br", "gzip")

    def command(self):
        conf = self.write("h2o.conf", f"""
pid-file: {self.dir}/pid
num-threads: 1
{'user: root' if os.geteuid() == 0 else ''}
compress: [br, gzip]
listen: {{host: 127.0.0.1, port: {self.port}}}
listen: {{host: "::1", port: {self.port6}}}
listen: {{type: unix, port: {self.dir}/s}}
listen:
  host: 127.0.0.1
  port: {self.tls_port}
  ssl: {{certificate-file: {self.dir}/cert.pem, key-file: {self.dir}/key.pem}}
hosts:
  default:
    paths:
      /echo: {{proxy.reverse.url: "http://127.0.0.1:{self.echo}/echo"}}
      /: {{file.dir: {self.root}}}
""")
        return [program("h2o", "h2o"), "-c", conf]


class Python(Site):
    """python3 -m http.server: HTTP/1.0, and no ranges."""

    TLS = SIX = UNIX = ECHO = RANGES = PERSISTENT = False

    def command(self):
        return [sys.executable, "-m", "http.server", "-b", "127.0.0.1", "-d", self.root,
                str(self.port)]


SITES = (Nginx, Apache, Lighttpd, Caddy, H2o, Python)
