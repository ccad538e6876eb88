"""The independent program of test_fido2_peer.c: python3-fido2, once as browser and security key, once as server.

make CHALLENGE RP ORIGIN   a line for each algorithm and format: what a key of that kind answers, in hex
judge CHALLENGE RP ORIGIN  for each line of the input, whether its answer is right: yes or no"""
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2 import cbor
from fido2.attestation import PackedAttestation
from fido2.client import ClientData
from fido2.cose import ES256, RS256, CoseKey, EdDSA
from fido2.ctap2 import AttestationObject, AttestedCredentialData, AuthenticatorData
from fido2.server import Fido2Server
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import PublicKeyCredentialRpEntity

UP, UV, AT = 1, 4, 64


def client_data(kind, challenge, origin):
    return json.dumps({"type": kind, "challenge": websafe_encode(challenge), "origin": origin, "crossOrigin": False}).encode()


def es256():
    key = ec.generate_private_key(ec.SECP256R1(), default_backend())
    return ES256.from_cryptography_key(key.public_key()), lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))


def eddsa():
    key = ed25519.Ed25519PrivateKey.generate()
    return EdDSA.from_cryptography_key(key.public_key()), key.sign


def rs256():
    key = rsa.generate_private_key(65537, 2048, default_backend())
    return RS256.from_cryptography_key(key.public_key()), lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def make(challenge, rp_id, origin):
    for kind in es256, eddsa, rs256:
        for form in "none", "packed":
            cose, sign = kind()
            registered = client_data("webauthn.create", challenge, origin)
            credential = AttestedCredentialData.create(b"\0" * 16, b"credential of " + kind.__name__.encode(), cose)
            data = AuthenticatorData.create(sha256(rp_id.encode()), UP | UV | AT, 5, credential)
            statement = {"alg": cose[3], "sig": sign(data + sha256(registered))} if form == "packed" else {}
            made = cbor.encode({"fmt": form, "attStmt": statement, "authData": bytes(data)})
            asked = client_data("webauthn.get", challenge, origin)
            answer = AuthenticatorData.create(sha256(rp_id.encode()), UP, 6)
            signature = sign(answer + sha256(asked))
            print(registered.hex(), made.hex(), asked.hex(), bytes(answer).hex(), signature.hex())


def judge_one(server, state, words):
    if words[0] == "R":
        client, made = (bytes.fromhex(word) for word in words[1:])
        attestation = AttestationObject(made)
        data = server.register_complete(state, ClientData(client), attestation)
        if attestation.fmt == "packed":
            PackedAttestation().verify(attestation.att_statement, data, sha256(client))
        elif attestation.fmt != "none" or attestation.att_statement:
            raise ValueError("format")
    else:
        cose, client, answer, signature = (bytes.fromhex(word) for word in words[1:])
        key = CoseKey.parse(cbor.decode(cose))
        credential = AttestedCredentialData.create(b"\0" * 16, b"id", key)
        server.authenticate_complete(state, [credential], b"id", ClientData(client), AuthenticatorData(answer), signature)


def judge(challenge, rp_id, origin):
    server = Fido2Server(PublicKeyCredentialRpEntity(rp_id, "test"), verify_origin=lambda found: found == origin)
    state = {"challenge": websafe_encode(challenge), "user_verification": None}
    for line in sys.stdin:
        try:
            judge_one(server, state, line.split())
            print("yes")
        except Exception:  # whatever its libraries raise at a broken answer: it was not taken
            print("no")


{"make": make, "judge": judge}[sys.argv[1]](bytes.fromhex(sys.argv[2]), sys.argv[3], sys.argv[4])
