"""Pages over TLS: the certificate must be trusted and name the host that was listed."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest

from tests.documents.test_web_sources import read
from tests.documents.web_server import served


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its own certificate for 127.0.0.1, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "documents of a test")])
    now = datetime.datetime.now(datetime.UTC)
    hosts = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(hosts, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + made.public_bytes(encoding))
    return path


def test_a_page_is_read_where_its_certificate_is_trusted_and_names_its_host(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with served(tls=context) as site:
        site.page("/", "<p>over TLS")
        here, other = f"https://127.0.0.1:{site.port}/", f"https://localhost:{site.port}/"
        [untrusted] = read(here).quarantined
        assert "certificate verify failed" in untrusted.reason
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        corpus = read(here, other)
        assert [(d.id, d.text) for d in corpus.documents] == [(here, "over TLS\n")]
        [misnamed] = corpus.quarantined
        assert misnamed.document_id == other
        assert "not valid for 'localhost'" in misnamed.reason
        assert site.asked == ["/"]


def test_a_redirect_from_https_to_http_is_not_followed(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with served(tls=context) as site, served() as plain:
        plain.page("/", "<p>plain")
        site.redirect("/", f"{plain.root}/")
        corpus = read(f"https://127.0.0.1:{site.port}/", f"{plain.root}/listed")
        assert corpus.documents == ()
        assert "redirects from https to http" in " ".join(item.reason for item in corpus.quarantined)
        assert plain.asked == ["/listed"]
