"""An LDAP server (slapd of Debian) for tests: its own port, folder and authority, on loopback; never the system's."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from lib.server import free_ports, wait_until

BASE = "dc=ours,dc=test"
READER, READER_SECRET = f"cn=reader,{BASE}", "the reader's secret"
ROOT, ROOT_SECRET = f"cn=root,{BASE}", "root"
CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {base}/pid
TLSCACertificateFile {base}/ca.pem
TLSCertificateFile {base}/{certificate}.pem
TLSCertificateKeyFile {base}/server.key
{extra}
database mdb
maxsize 67108864
dbnosync
suffix "dc=ours,dc=test"
rootdn "cn=root,dc=ours,dc=test"
rootpw root
directory {base}/data
limits dn.exact="cn=reader,dc=ours,dc=test" size.pr=500 size.prtotal=unlimited
overlay memberof
memberof-dangling ignore
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=ours,dc=test" read by * none
"""


def openssl(*words, **kw):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, **kw)


class Authority:
    """A certificate authority with one key for servers, and certificates for it."""

    def __init__(self, base, name):
        self.base, self.name = base, name
        self.file, self.key = base / f"{name}.pem", base / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", f"/CN=test authority {name}", "-keyout", self.key, "-out", self.file)

    def issue(self, name, key, san, start="20200101000000Z", end="20400101000000Z"):
        index = self.base / f"index-{self.name}-{name}"
        index.write_text("")
        (self.base / f"{name}.ext").write_text(f"subjectAltName={san}\n")
        (self.base / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=x\n[x]\ndatabase={index}\nnew_certs_dir={self.base}\nrand_serial=yes\ndefault_md=sha256\n"
            "policy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
        request = self.base / f"{name}.csr"
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        openssl("ca", "-batch", "-config", self.base / "ca.cnf", "-cert", self.file, "-keyfile", self.key, "-in", request,
                "-out", self.base / f"{name}.pem", "-notext", "-startdate", start, "-enddate", end, "-extfile",
                self.base / f"{name}.ext")


class Directory:
    def __init__(self, certificate="server", extra=""):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="letterlock-ldap-"))
        (self.base / "data").mkdir()
        self.port, self.tls_port = free_ports(2)
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.base / "server.key")
        self.ca, self.other_ca = Authority(self.base, "ca"), Authority(self.base, "other")
        self.ca.issue("server", self.base / "server.key", "IP:127.0.0.1,DNS:ldap.ours.test")
        self.ca.issue("expired", self.base / "server.key", "IP:127.0.0.1", end="20210101000000Z")
        self.ca.issue("elsewhere", self.base / "server.key", "IP:127.0.0.2,DNS:elsewhere.test")
        self.ca.issue("future", self.base / "server.key", "IP:127.0.0.1", start="20380101000000Z")
        self.secret_file = self.base / "reader.secret"
        self.secret_file.write_text(READER_SECRET + "\n")
        self.secret_file.chmod(0o600)
        self.process, self.extra = None, extra
        self.configure(certificate)

    def configure(self, certificate="server", extra=None):
        self.extra = self.extra if extra is None else extra
        (self.base / "slapd.conf").write_text(CONF.format(base=self.base, certificate=certificate, extra=self.extra))

    # -- life -------------------------------------------------------------------------------------------------------
    def start(self):
        with open(self.base / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/slapd", "-d", "0", "-f", str(self.base / "slapd.conf"), "-h",
                 f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.answers, 60, "slapd")
        return self

    def answers(self):
        assert self.process.poll() is None, (self.base / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.tls_port), timeout=10).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(60)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def remove(self):
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    # -- people -----------------------------------------------------------------------------------------------------
    def ldap(self, program, ldif):
        done = subprocess.run([program, "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", ROOT, "-w", ROOT_SECRET],
                              input=ldif, capture_output=True, text=True, timeout=120, env=dict(os.environ, LDAPNOINIT="1"))
        assert done.returncode == 0, done.stderr + ldif

    def add(self, ldif):
        self.ldap("ldapadd", ldif)

    def modify(self, dn, text):
        self.ldap("ldapmodify", f"dn: {dn}\nchangetype: modify\n{text}\n")

    def delete(self, dn):
        self.ldap("ldapmodify", f"dn: {dn}\nchangetype: delete\n")

    def fill(self):
        self.add(f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: ours\n\n"
                 f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\n\n"
                 f"dn: ou=groups,{BASE}\nobjectClass: organizationalUnit\n\n"
                 f"dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\nuserPassword: {READER_SECRET}\n")
        return self

    def person(self, uid, password, mails=None, name=None, more=""):
        mails = [f"{uid}@ours.test"] if mails is None else mails
        lines = "".join(f"mail: {m}\n" for m in mails)
        self.add(f"dn: uid={uid},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {uid}\nsn: {uid}\ncn: {uid}\n"
                 f"displayName: {name or uid.title()}\n{lines}userPassword: {password}\n{more}")

    def group(self, name, members):
        lines = "".join(f"member: uid={m},ou=people,{BASE}\n" for m in members)
        self.add(f"dn: cn={name},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {name}\n{lines}")

    # -- the other side's settings ----------------------------------------------------------------------------------
    def settings(self, url=None, ca=None, **more):
        keys = {"directory": url or f"ldaps://127.0.0.1:{self.tls_port}", "directory_ca": ca or self.ca.file,
                "directory_bind": f'"{READER}"', "directory_secret": self.secret_file, "directory_base": f'"{BASE}"', **more}
        return "".join(f"{k} = {v}\n" for k, v in keys.items() if v is not None)
