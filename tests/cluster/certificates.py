"""Certificates of a test cluster: an authority, its API server, and its users."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LIFETIME = dt.timedelta(days=30)


class Authority:
    """Signs for one cluster; kept in a folder, and read again from there."""

    def __init__(self, folder: Path) -> None:
        """Make the authority, unless the folder has one."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "ca.crt"
        if self.certificate.exists():
            self._key = _read_key(folder / "ca.key")
            return
        self._key = _new_key(folder / "ca.key")
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        unsigned = _unsigned(_name("ray-gke-test", ()), self._key.public_key())
        signed = unsigned.add_extension(constraints, critical=True)
        self._write(self.certificate, signed)

    def for_server(self, name: str, hosts: Sequence[str]) -> tuple[Path, Path]:
        """Return certificate and key of a server that is reached as `hosts`."""
        alternatives = x509.SubjectAlternativeName([_general_name(h) for h in hosts])
        return self._issue(name, _name(name, ()), alternatives)

    def for_user(self, user: str, groups: Sequence[str] = ()) -> tuple[Path, Path]:
        """Return certificate and key with which the API server knows a user."""
        file = "-".join(part.replace(":", "_") for part in (user, *groups))
        return self._issue(file, _name(user, groups), None)

    def key_pair(self, name: str) -> tuple[Path, Path]:
        """Return public and private key, for service account tokens."""
        public, private = self.folder / f"{name}.pub", self.folder / f"{name}.key"
        if not public.exists():
            key = _new_key(private).public_key()
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            public.write_bytes(key.public_bytes(serialization.Encoding.PEM, form))
        return public, private

    def _issue(
        self,
        file: str,
        subject: x509.Name,
        alternatives: x509.SubjectAlternativeName | None,
    ) -> tuple[Path, Path]:
        certificate, key = self.folder / f"{file}.crt", self.folder / f"{file}.key"
        if not certificate.exists():
            unsigned = _unsigned(subject, _new_key(key).public_key())
            if alternatives:
                unsigned = unsigned.add_extension(alternatives, critical=False)
            self._write(certificate, unsigned)
        return certificate, key

    def _write(self, file: Path, unsigned: x509.CertificateBuilder) -> None:
        issuer = unsigned.issuer_name(_name("ray-gke-test", ()))
        signed = issuer.sign(self._key, hashes.SHA256())
        file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def _new_key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return key


def _read_key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _unsigned(
    subject: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # Clocks of a machine that was asleep may step back.
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
    )


def _name(user: str, groups: Sequence[str]) -> x509.Name:
    """Return a subject as Kubernetes reads it: organizations are groups."""
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, g) for g in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
