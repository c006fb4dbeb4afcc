"""A small certificate authority: keys on P-256, certificates and the list of revoked ones.

P-256 and not Ed25519, because also small devices (mbed TLS) and old phones can use it.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from internetcar.contract.message import InputError

_AUTHORITY_DAYS = 3653
_BACKDATED = timedelta(days=1)
"""A computer without a battery-backed clock wakes up in the past."""


class AuthorityError(InputError):
    """The authority's own files are not what they were."""


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, both PEM."""

    cert: bytes
    key: bytes
    serial: int
    ends_at: datetime


class Authority:
    """Who vouches for everybody at one broker; its key is in memory only while it is used."""

    def __init__(self, cert: bytes, key: bytes) -> None:
        """Take up an authority from its files.

        Raises:
            AuthorityError: They are damaged or do not belong together.
        """
        try:
            self._cert = x509.load_pem_x509_certificate(cert)
            loaded = serialization.load_pem_private_key(key, password=None)
        except (ValueError, TypeError) as error:
            raise AuthorityError("the authority's certificate or key is damaged") from error
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise AuthorityError("the authority's key is not one of ours")
        if loaded.public_key() != self._cert.public_key():
            raise AuthorityError("the authority's certificate and key do not belong together")
        self._key = loaded
        self.cert, self.key = cert, key

    @classmethod
    def create(cls, now: datetime) -> Self:
        """A new authority with a name nobody else's has."""
        key = ec.generate_private_key(ec.SECP256R1())
        serial = x509.random_serial_number()
        name = _name(f"internetcar authority {serial:x}"[:38])
        usage = _usage(signs_certificates=True)
        cert = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + timedelta(days=_AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(key, hashes.SHA256())
        )
        return cls(_pem(cert), _pem_key(key))

    def issue_client(self, name: str, now: datetime, days: int) -> Issued:
        """A certificate that says who a client is, and that no broker can use."""
        return self._issue(name, ExtendedKeyUsageOID.CLIENT_AUTH, [], now, days)

    def issue_broker(self, hosts: Sequence[str], now: datetime, days: int) -> Issued:
        """A certificate for the broker under all its names, and that no client can use."""
        names = [_alternative(host) for host in hosts]
        return self._issue("broker", ExtendedKeyUsageOID.SERVER_AUTH, names, now, days)

    def revocations(self, revoked: Mapping[int, datetime], number: int, now: datetime) -> bytes:
        """The list of revoked certificates, PEM.

        It never grows old before the authority does: it lies beside the broker and is written anew
        with each change, whereas a list that has ended would shut everybody out.

        Args:
            revoked: Since when, by serial number.
            number: Greater with each list.
            now: When it is made.
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._cert.subject)
            .last_update(now - _BACKDATED)
            .next_update(self._cert.not_valid_after_utc)
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(self._identifier(), critical=False)
        )
        for serial, since in sorted(revoked.items()):
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
            builder = builder.add_revoked_certificate(entry.build())
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    def _issue(
        self,
        name: str,
        purpose: x509.ObjectIdentifier,
        alternatives: Sequence[x509.GeneralName],
        now: datetime,
        days: int,
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        serial = x509.random_serial_number()
        ends_at = min(now + timedelta(days=days), self._cert.not_valid_after_utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(self._cert.subject)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(min(now, ends_at) - _BACKDATED)
            .not_valid_after(ends_at)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(self._identifier(), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
        cert = builder.sign(self._key, hashes.SHA256())
        return Issued(_pem(cert), _pem_key(key), serial, ends_at)

    def _identifier(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.PEM)


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
