"""The daemons that `hail check` is tested with, on top of daemons.py: the eight standard services, and
databases and their like."""

import os
import socket
import subprocess
import time

import pytest

from daemons import (Daemon, Dovecot, Nnrpd, Postfix, Postgres, Sshd, Vsftpd, free_ports,
                     program)
from telnet_pty import Telnetd


class Web(Daemon):
    """nginx: HTTP at port, HTTPS at tls_port."""

    PORTS = ("port", "tls_port")

    def prepare(self):
        temp = "".join(f"{kind}_temp_path {self.dir}/t-{kind};\n" for kind in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = self.write("nginx.conf", f"""daemon off;
master_process off;
pid {self.dir}/pid;
events {{}}
http {{
    {temp}
    access_log {self.dir}/access.log;
    server {{
        listen 127.0.0.1:{self.port};
        listen 127.0.0.1:{self.tls_port} ssl;
        ssl_certificate {self.dir}/cert.pem;
        ssl_certificate_key {self.dir}/key.pem;
        return 200 "all is well\\n";
    }}
}}
""")
        return [program("nginx", "nginx-light"), "-p", self.dir, "-c", conf, "-e", "stderr"]


class Lmtp(Dovecot):
    """dovecot's LMTP, with STARTTLS."""

    PORTS = ("port", "lmtp_port")

    def prepare(self):
        self.lmtp_port, = free_ports(1)
        command = super().prepare()
        with open(self.dir / "dovecot.conf", "a", encoding="ascii") as conf:
            conf.write(f"""protocols = pop3 lmtp
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.lmtp_port}
  }}
}}
""")
        if not os.path.exists("/usr/lib/dovecot/lmtp"):
            pytest.skip("dovecot has no lmtp (dovecot-lmtpd)")
        return command


class Redis(Daemon):
    def prepare(self):
        return [program("redis-server", "redis-server"), "--port", str(self.port), "--bind",
                "127.0.0.1", "--save", "", "--dir", self.dir]


class RedisLocked(Redis):
    """Wants a password."""

    def prepare(self):
        return [*super().prepare(), "--requirepass", "secret"]


class Memcached(Daemon):
    def prepare(self):
        return [program("memcached", "memcached"), "-u", "nobody", "-l", "127.0.0.1", "-U", "0", "-p",
                str(self.port), "-vv"]


class Mosquitto(Daemon):
    """MQTT at port, and under TLS at tls_port."""

    def prepare(self):
        for name in ("cert.pem", "key.pem"):
            (self.dir / name).chmod(0o644)
        conf = self.write("mosquitto.conf", f"""listener {self.port} 127.0.0.1
allow_anonymous true
listener {self.tls_port} 127.0.0.1
allow_anonymous true
certfile {self.dir}/cert.pem
keyfile {self.dir}/key.pem
user root
""")
        return [program("mosquitto", "mosquitto"), "-v", "-c", conf]


class Unbound(Daemon):
    """DNS by UDP and TCP at port, under TLS at tls_port; knows x.test."""

    PORTS = ("port", "tls_port")

    def prepare(self):
        conf = self.write("unbound.conf", f"""server:
 interface: 127.0.0.1@{self.port}
 interface: 127.0.0.1@{self.tls_port}
 tls-port: {self.tls_port}
 tls-service-key: {self.dir}/key.pem
 tls-service-pem: {self.dir}/cert.pem
 do-daemonize: no
 username: ""
 chroot: ""
 pidfile: ""
 use-syslog: no
 directory: "{self.dir}"
 local-zone: "test." static
 local-data: "x.test. A 192.0.2.3"
remote-control:
 control-enable: no
""")
        return [program("unbound", "unbound"), "-d", "-c", conf]


class Chrony(Daemon):
    """NTP by UDP at port; its own clock is the source, and it is left alone."""

    def prepare(self):
        conf = self.write("chrony.conf", f"""port {self.port}
bindaddress 127.0.0.1
local stratum 8
allow 127.0.0.1
pidfile {self.dir}/pid
cmdport 0
bindcmdaddress /
driftfile {self.dir}/drift
user root
""")
        return [program("chronyd", "chrony"), "-d", "-x", "-f", conf]

    def listens(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", self.port))
            s.settimeout(0.2)
            for _ in range(50):
                try:
                    s.send(b"\x23" + bytes(39) + b"hailhail")
                    return len(s.recv(100)) == 48
                except OSError:
                    if self.process.poll() is not None:
                        return False
                    time.sleep(0.1)
        return False


class Mariadb(Daemon):
    NEEDS_ROOT = True  # to become mysql

    READY = "ready for connections"

    def prepare(self):
        data = self.dir / "data"
        if not data.exists():
            for name in ("cert.pem", "key.pem"):
                (self.dir / name).chmod(0o644)
            subprocess.run(self.in_place(program("mariadb-install-db", "mariadb-server"),
                                         "--no-defaults", "--user=mysql", "--datadir=/mnt/data",
                                         "--skip-test-db"),
                           check=True, capture_output=True, timeout=120)
        return self.in_place(program("mariadbd", "mariadb-server"), "--no-defaults", "--user=mysql",
                             "--datadir=/mnt/data", f"--port={self.port}",
                             "--bind-address=127.0.0.1", "--socket=/mnt/data/s",
                             "--ssl-cert=/mnt/cert.pem", "--ssl-key=/mnt/key.pem",
                             "--log-warnings=9")


class Telnet:
    """inetutils-telnetd."""

    def __init__(self, directory, _certs):
        place = directory / "telnetd"
        place.mkdir()
        self.telnetd = Telnetd(place)
        self.port = self.telnetd.port

    def close(self):
        self.telnetd.close()


# The name in the tests: the class, the scheme, where it listens, what it is expected to say,
# and whether it has TLS from the first byte (tls), on the way (starttls), or none.
SERVICES = {
    "ftp": (Vsftpd, "ftp", "port", "vsFTPd", "starttls"),
    "ssh": (Sshd, "ssh", "port", "SSH-2.0-OpenSSH", None),
    "telnet": (Telnet, "telnet", "port", "", None),
    "smtp": (Postfix, "smtp", "port", "ESMTP Postfix", "starttls"),
    "smtps": (Postfix, "smtps", "tls_port", "ESMTP Postfix", "tls"),
    "lmtp": (Lmtp, "lmtp", "lmtp_port", "Dovecot", "starttls"),
    "http": (Web, "http", "port", "200 OK", None),
    "https": (Web, "https", "tls_port", "200 OK", "tls"),
    "pop3": (Dovecot, "pop3", "port", "Dovecot", "starttls"),
    "pop3s": (Dovecot, "pop3s", "tls_port", "Dovecot", "tls"),
    "imap": (Dovecot, "imap", "imap_port", "Dovecot", "starttls"),
    "imaps": (Dovecot, "imaps", "imaps_port", "Dovecot", "tls"),
    "nntp": (Nnrpd, "nntp", "port", "InterNetNews", "starttls"),
    "postgres": (Postgres, "postgres", "port", "PostgreSQL", "starttls"),
    "mysql": (Mariadb, "mysql", "port", "MariaDB", "starttls"),
    "redis": (Redis, "redis", "port", "PONG", None),
    "memcached": (Memcached, "memcached", "port", "VERSION 1", None),
    "mqtt": (Mosquitto, "mqtt", "port", "accepted", None),
    "mqtts": (Mosquitto, "mqtts", "tls_port", "accepted", "tls"),
    "dns": (Unbound, "dns", "port", "REFUSED|NOERROR", None),
    "domain-s": (Unbound, "domain-s", "tls_port", "REFUSED|NOERROR", "tls"),
    "ntp": (Chrony, "ntp", "port", "stratum 8", None),
}
