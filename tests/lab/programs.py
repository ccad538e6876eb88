"""Other people's servers, from Debian's packages, each in a folder of its own: Dovecot, Postfix and Courier. They are started
in the network namespace of the calling thread, at the registered ports of an address of their own."""
import os
import pathlib
import pwd
import socket
import subprocess

from lab.scripted import PASSWORD
from lib.server import ROOT, wait_until

UNPACKED = ROOT / "build/unpacked"  # packages that cannot be installed beside others: see tools/unpack.sh


def unpacked():
    """The folder with the unpacked packages; filled when `./dev test` has not done so."""
    if not UNPACKED.is_dir():
        subprocess.run([ROOT / "tools/unpack.sh", UNPACKED], check=True)
    return UNPACKED


def greets(address, port):
    """Does a mail server say something there?"""
    try:
        with socket.create_connection((address, port), timeout=5) as s:
            return bool(s.recv(1))
    except OSError:
        return False


def listens(address, port):
    try:
        socket.create_connection((address, port), timeout=5).close()
        return True
    except OSError:
        return False


class Program:
    def __init__(self, folder, address, certificate):
        self.folder, self.address, self.certificate = pathlib.Path(folder), address, certificate
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o755)
        self.processes = []
        self.write()

    def put(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def spawn(self, *words, **kw):
        """In a process namespace of its own, so that whatever it starts ends with it. The shell is its first process, because a
        program that changes its user would lose the kernel's promise to be killed along."""
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", '"$@" & wait', "sh",
                   *(str(w) for w in words)]
        with open(self.folder / "log", "ab") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **kw))

    def command(self, *words, **kw):
        with open(self.folder / "log", "ab") as log:
            subprocess.run([str(w) for w in words], stdout=log, stderr=log, stdin=subprocess.DEVNULL, **kw)

    def log_text(self):
        return "".join(p.read_text(errors="replace")[-4000:] for p in self.folder.glob("*log") if p.is_file())

    def wait(self, *ports, tls=()):
        """Until something is said at these ports, and somebody listens at the ones with TLS."""
        def answers():
            return all(greets(self.address, port) for port in ports) and all(listens(self.address, port) for port in tls)
        try:
            wait_until(answers, 90, f"{type(self).__name__}'s ports")
        except AssertionError:
            print(self.log_text())
            raise

    def stop(self):
        """All at once: nobody needs what they would still put in order."""
        for process in self.processes:
            process.kill()
            process.wait()


def own(path, user):
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)


DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
listen = {address}
protocols = imap pop3
ssl = required
ssl_cert = <{certificate}
ssl_key = <{certificate}
default_login_user = dovenull
default_internal_user = dovecot
auth_mechanisms = plain login scram-sha-256
auth_failure_delay = 0
login_greeting = Dovecot ready.
mail_location = maildir:{folder}/mail/%n
first_valid_uid = 1
mail_plugins = quota
protocol imap {{
  mail_plugins = quota imap_quota
}}
plugin {{
  quota = maildir:User quota
  quota_rule = *:storage=1G
}}
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users
  default_fields = uid=mail gid=mail home={folder}/mail/%n
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {folder}/run/auth-postfix {{
    mode = 0666
  }}
}}
"""


class Dovecot(Program):
    """alice and bob sign in; the others meet a fault each."""
    users = {
        "alice": "",
        "bob": "",
        "closed": "nologin=y reason=Account_is_disabled",
        "elsewhere": "allow_nets=192.0.2.0/24",
        "full": "userdb_quota_rule=*:bytes=1",
        "broken": "userdb_mail=maildir:/proc/nowhere",
        "moved": "userdb_uid=0",
    }

    def write(self):
        lines = [f"{name}@dovecot.test:{{PLAIN}}{PASSWORD}::::::{extra}" for name, extra in self.users.items()]
        self.put("users", "\n".join(lines) + "\n")
        self.put("dovecot.conf", DOVECOT.format(folder=self.folder, address=self.address, certificate=self.certificate))
        (self.folder / "mail").mkdir()
        own(self.folder / "mail", "mail")
        letter = self.folder / "mail/full/new"
        letter.mkdir(parents=True)
        (letter / "1.lab").write_text("Subject: one\n\ntext\n")
        for path in (letter.parent, letter, letter / "1.lab"):
            own(path, "mail")

    def start(self):
        self.spawn("dovecot", "-F", "-c", self.folder / "dovecot.conf")
        self.wait(143, 110, tls=(993, 995))
        return self


POSTFIX_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
mail_owner = postfix
myhostname = mail.postfix.test
mydestination = postfix.test
inet_interfaces = all
inet_protocols = ipv4
maillog_file_prefixes = {folder}
maillog_file = {folder}/mail.log
mynetworks = 192.0.2.0/24
alias_maps =
local_recipient_maps =
smtpd_tls_chain_files = {certificate}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {sasl}
smtpd_delay_reject = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_error_sleep_time = 0
message_size_limit = 10240000
"""
POSTFIX_MASTER = """
{address}:25  inet n - n - - smtpd
{address}:587 inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes -o smtpd_tls_security_level=encrypt
{address}:465 inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes -o smtpd_tls_wrappermode=yes
{address}:2525 inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes -o smtpd_tls_wrappermode=yes
  -o smtpd_sender_restrictions=reject_sender_login_mismatch -o smtpd_sender_login_maps=inline:{{{{alice@dovecot.test=bob@dovecot.test}}}}
{address}:2526 inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_path={folder}/nowhere
{address}:2527 inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes -o smtpd_tls_wrappermode=yes
  -o smtpd_client_restrictions=reject
rewrite unix - - n - - trivial-rewrite
cleanup unix n - n - 0 cleanup
tlsmgr  unix - - n 1000? 1 tlsmgr
anvil   unix - - n - 1 anvil
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
scache  unix - - n - 1 scache
qmgr    unix n - n 300 1 qmgr
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
trace   unix - - n - 0 bounce
verify  unix - - n - 1 verify
flush   unix n - n 1000? 0 flush
local   unix - n n - - local
smtp    unix - - n - - smtp
relay   unix - - n - - smtp
error   unix - - n - - error
retry   unix - - n - - error
discard unix - - n - - discard
showq   unix n - n - - showq
pickup  unix n - n 60 1 pickup
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(Program):
    """Submission for Dovecot's users at 587 and 465; 25 signs nobody in; from 2525 on one fault a port."""

    def __init__(self, folder, address, certificate, sasl):
        self.sasl = sasl
        super().__init__(folder, address, certificate)

    def write(self):
        values = {"folder": self.folder, "address": self.address, "certificate": self.certificate, "sasl": self.sasl}
        self.put("main.cf", POSTFIX_MAIN.format(**values))
        self.put("master.cf", POSTFIX_MASTER.format(**values))
        for name, user in (("spool", "root"), ("data", "postfix")):
            (self.folder / name).mkdir()
            own(self.folder / name, user)

    def start(self):
        self.command("postfix", "-c", self.folder, "check")  # makes the queue's folders
        self.spawn("/usr/lib/postfix/sbin/master", "-d", "-c", self.folder)
        self.wait(25, 587, tls=(465, 2525, 2526, 2527))
        return self


COURIER = """set -eu
mount -t overlay courier -o lowerdir={folder}/layer:{unpacked}/etc:/etc /etc
mount -t overlay courier -o lowerdir={unpacked}/usr:/usr /usr
mount -t tmpfs run /run
mount --bind {folder}/etc /etc/courier
mkdir -p /run/courier/authdaemon
chmod 755 /run/courier /run/courier/authdaemon
makeuserdb
set -a
. /etc/courier/settings
( . /etc/courier/authdaemonrc; exec /usr/lib/courier/courier-authlib/authdaemond ) &
lib=/usr/lib/courier/courier
tcpd="couriertcpd -address={address} -maxprocs=200 -maxperip=200 -nodnslookup -noidentlookup -user=mail -group=mail"
$tcpd 143 $lib/imaplogin /usr/bin/imapd Maildir &
$tcpd 110 $lib/courierpop3login $lib/courierpop3d Maildir &
IMAP_TLS=1 IMAP_TLS_REQUIRED=0 IMAP_STARTTLS=NO $tcpd 993 $COURIERTLS -server -tcpd $lib/imaplogin /usr/bin/imapd Maildir &
POP3_TLS=1 POP3_TLS_REQUIRED=0 POP3_STARTTLS=NO $tcpd 995 $COURIERTLS -server -tcpd $lib/courierpop3login $lib/courierpop3d Maildir &
wait
"""
COURIER_SETTINGS = """
AUTHMODULES=authdaemon
IMAP_CAPABILITY="IMAP4rev1 UIDPLUS CHILDREN NAMESPACE QUOTA IDLE"
IMAP_CAPABILITY_TLS="$IMAP_CAPABILITY AUTH=PLAIN"
IMAP_STARTTLS=YES
IMAP_TLS_REQUIRED=1
POP3AUTH_TLS="LOGIN PLAIN"
POP3_STARTTLS=YES
POP3_TLS_REQUIRED=1
COURIERTLS=/usr/bin/couriertls
TLS_CERTFILE=/etc/courier/certificate.pem
TLS_VERIFYPEER=NONE
IMAP_IDLE_TIMEOUT=60
IMAP_ULIMITD=131072
"""


class Courier(Program):
    """IMAP and POP3 for alice@courier.test. The package refuses to be installed beside Dovecot, so it lies unpacked, and its
    programs see it where they expect it: in a mount namespace of their own."""

    def write(self):
        owner = pwd.getpwnam("mail")
        home = self.folder / "alice"
        for name in ("", "Maildir", "Maildir/cur", "Maildir/new", "Maildir/tmp"):
            (home / name).mkdir(mode=0o700)
            own(home / name, "mail")
        secret = subprocess.run(["openssl", "passwd", "-1", PASSWORD], capture_output=True, text=True, check=True).stdout.strip()
        self.put("etc/userdb", f"alice@courier.test\tuid={owner.pw_uid}|gid={owner.pw_gid}|home={home}|systempw={secret}\n", 0o600)
        self.put("etc/authdaemonrc", "authmodulelist=authuserdb\nauthmodulelistorig=authuserdb\ndaemons=2\n"
                 "authdaemonvar=/run/courier/authdaemon\nDEBUG_LOGIN=0\nDEFAULTOPTIONS=\nLOGGEROPTS=\n")
        certificate = self.put("etc/certificate.pem", pathlib.Path(self.certificate).read_text(), 0o600)
        own(certificate, "mail")
        self.put("etc/settings", COURIER_SETTINGS)
        users = pathlib.Path("/etc/passwd").read_text()  # couriertls asks for a user of its package's name
        self.put("layer/passwd", users + f"courier:x:{owner.pw_uid}:{owner.pw_gid}::/nonexistent:/usr/sbin/nologin\n")
        self.put("start.sh", COURIER.format(unpacked=unpacked(), folder=self.folder, address=self.address))

    def start(self):
        self.spawn("sh", self.folder / "start.sh")
        self.wait(143, 110, tls=(993, 995))
        return self
