"""Certificates of every kind, good and bad, made in a moment: one authority that the doctor is told to trust, others that
it is not, and leaves with any name, time, key and chain."""
import datetime
import functools
import itertools
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dh, ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
GROUP_2 = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
              "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
              "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF", 16)
serials = itertools.count(1000)


@functools.lru_cache(None)
def key_of(kind):
    """Keys take their time, so all certificates of one kind share one."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:]))
    return ec.generate_private_key(ec.SECP256R1())


def subject_of(name, organisation=None):
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organisation:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def builder_for(subject, issuer, key, begins, ends):
    now = datetime.datetime.utcnow().replace(microsecond=0)
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
            .serial_number(next(serials)).not_valid_before(now + begins * DAY).not_valid_after(now + ends * DAY))


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


class Authority:
    """One that signs. `above` is the authority that signed it; none: it is a root."""

    def __init__(self, name, organisation=None, above=None, kind="ec-authority"):
        self.key, self.above = key_of(f"{kind}-{name}"), above
        self.subject = subject_of(name, organisation)
        signer = above or self
        build = builder_for(self.subject, signer.subject, self.key, -3650, 3650)
        build = build.add_extension(x509.BasicConstraints(True, None), True)
        build = build.add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
        build = build.add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False), True)
        self.certificate = build.sign(signer.key, hashes.SHA256())

    def leaf(self, *names, begins=-30, ends=60, kind="ec", common_name=None, digest=hashes.SHA256(),
             must_staple=False):
        """(key, certificate) for a server of these names; * is a name like others."""
        key = key_of(kind)
        build = builder_for(subject_of(common_name or names[0]), self.subject, key, begins, ends)
        build = build.add_extension(x509.BasicConstraints(False, None), True)
        build = build.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        build = build.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        if names:
            build = build.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        if must_staple:
            build = build.add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), False)
        return key, build.sign(self.key, digest)

    def statement(self, certificate, revoked=False, begins=-1, ends=3, signer=None):
        """What the authority says of a certificate (RFC 6960), for a server to staple; begins and ends in days from now."""
        now = datetime.datetime.utcnow().replace(microsecond=0)
        status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
        signer = signer or self
        build = ocsp.OCSPResponseBuilder().add_response(
            certificate, self.certificate, hashes.SHA1(), status, now + begins * DAY, now + ends * DAY,
            now - 2 * DAY if revoked else None, x509.ReasonFlags.key_compromise if revoked else None)
        build = build.responder_id(ocsp.OCSPResponderEncoding.NAME, signer.certificate)
        return build.sign(signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


class Cabinet:
    """The authorities of the laboratory, and files with what they signed."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.numbers = itertools.count()
        self.root = Authority("Letterlock Laboratory Root", "Letterlock Laboratory")
        self.between = Authority("Letterlock Laboratory Between", "Letterlock Laboratory", above=self.root)
        self.ca_file = self.folder / "ca.pem"
        self.ca_file.write_bytes(pem(self.root.certificate))

    def write(self, key, *chain):
        """Key and chain in one file, as ssl.SSLContext.load_cert_chain and most servers read them."""
        path = self.folder / f"certificate-{next(self.numbers)}.pem"
        text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption()) + b"".join(pem(c) for c in chain)
        path.write_bytes(text)
        path.chmod(0o600)
        return str(path)

    @functools.lru_cache(None)
    def good(self, *names):
        return self.write(*self.root.leaf(*names))

    def of_times(self, name, begins, ends):
        return self.write(*self.root.leaf(name, begins=begins, ends=ends))

    def weak(self, name):
        return self.write(*self.root.leaf(name, kind="rsa1024"))

    def small_group(self):
        """A Diffie-Hellman group of 1024 bits: the second of RFC 2409."""
        path = self.folder / "group.pem"
        numbers = dh.DHParameterNumbers(GROUP_2, 2)
        path.write_bytes(numbers.parameters().parameter_bytes(serialization.Encoding.PEM, serialization.ParameterFormat.PKCS3))
        return path

    def self_signed(self, name):
        stranger = Authority(name, kind="ec-self")
        return self.write(stranger.key, self.signed_by_itself(name, stranger))

    def signed_by_itself(self, name, stranger):
        build = builder_for(stranger.subject, stranger.subject, stranger.key, -30, 300)
        build = build.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        return build.sign(stranger.key, hashes.SHA256())

    def stranger(self, name, issuer="Example Company Internal CA", organisation="Example Company"):
        """Signed by an authority that nobody was told to trust; the root comes along."""
        authority = Authority(issuer, organisation)
        return self.write(*authority.leaf(name), authority.certificate)

    def without_between(self, name):
        """The link between leaf and root is forgotten."""
        return self.write(*self.between.leaf(name))

    def with_between(self, name):
        return self.write(*self.between.leaf(name), self.between.certificate)
