"""Which words hold a secret, and which are the talk of any incident."""

import pytest
from hypothesis import given

from bot.domain.incident.grammar import looks_secret
from bot.domain.incident.secrets import is_suspect, secrets_in
from tests.unit.domain.texts import QUICK, TEXTS

_A = "Zx81Qm4LpT7vRn2KcW9sYb3HdF6gJe5a"

SECRETS: dict[str, str] = {
    "key AKIAIOSFODNN7EXAMPLE was in the log": "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    f"pushed with ghp_{_A}abcd": f"ghp_{_A}abcd",
    f"github_pat_11ABCDEFG0{_A} is in the CI log": f"github_pat_11ABCDEFG0{_A}",
    f"gitlab says glpat-{_A[:20]} is valid": f"glpat-{_A[:20]}",
    f"xoxb-123456789012-123456789012-{_A[:24]}": f"xoxb-123456789012-123456789012-{_A[:24]}",
    f"xapp-1-A0123ABC-1234567890-{_A}": f"xapp-1-A0123ABC-1234567890-{_A}",
    f"alerts go to https://hooks.slack.com/services/T00000000/B00000000/{_A[:24]}": _A[:24],
    f"stripe sk_live_{_A[:24]}": f"sk_live_{_A[:24]}",
    f"rk_test_{_A[:24]} too": f"rk_test_{_A[:24]}",
    f"maps key AIza{_A}abc": f"AIza{_A}abc",
    f"sk-proj-{_A} was used": f"sk-proj-{_A}",
    f"npm_{_A}abcd published it": f"npm_{_A}abcd",
    f"SG.{_A[:22]}.{_A}": f"SG.{_A[:22]}.{_A}",
    f"vault gave hvs.{_A}": f"hvs.{_A}",
    f"hf_{_A}": f"hf_{_A}",
    f"1234567890:AAF{_A}": f"1234567890:AAF{_A}",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N": "eyJhbGciOiJIUzI1NiJ9",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----": "MIIEow",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQOYBF": "lQOYBF",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\n": "b3BlbnNzaC1r",
    "password=hunter2": "hunter2",
    "password = swordfish": "swordfish",
    "PASSWORD='correct horse battery'": "correct horse battery",
    "set DB_PASSWORD=swordfish on db1": "swordfish",
    "dbPassword=Tr0ub4dor": "Tr0ub4dor",
    "export PGPASSWORD=tiger": "tiger",
    "MYSQL_PWD=s3cr3t mysqldump": "s3cr3t",
    "DB_PASS=hunter2 in the env": "hunter2",
    "the password is hunter2": "hunter2",
    "password for db1 is now S3cure!pass": "S3cure!pass",
    "root password: Sw0rdfish!": "Sw0rdfish!",
    "db password hunter2 was in the runbook": "hunter2",
    '{"password": "swordfish"}': "swordfish",
    "passwort: Geheim123": "Geheim123",
    "token=4f9a8b7c6d5e4f3a": "4f9a8b7c6d5e4f3a",
    "api_key=abcdef0123456789": "abcdef0123456789",
    "X-Api-Key: 9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d": "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d",
    "secret: q9X!mm27zz": "q9X!mm27zz",
    "client_secret=7Fjfp0ZBr1KtDRbnfVdmIw": "7Fjfp0ZBr1KtDRbnfVdmIw",
    "SECRET_KEY_BASE=0a1b2c3d4e5f6071": "0a1b2c3d4e5f6071",
    "DefaultEndpointsProtocol=https;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6==": "Eby8vdM02xNOcqFl",
    "ran it with --token 4f9a8b7c6d5e --force": "4f9a8b7c6d5e",
    "psql postgres://scribe:secret@db1/scribe hangs": "secret",
    "redis://:p4ss@cache:6379/0 refuses": "p4ss",
    "https://deploy:glove9@git.example.org/app.git": "glove9",
    "Authorization: Bearer abcdef0123456789abcdef": "abcdef0123456789abcdef",
    "curl -H 'Authorization: Basic YWxhZGRpbjpvcGVuc2VzYW1l'": "YWxhZGRpbjpvcGVuc2VzYW1l",
    "curl -u admin:letmein https://db1/health": "letmein",
    "mysql -u root -pS3cret shop": "S3cret",
}
"""Words that hold a secret, and the least that must be found of it."""

TALK = (
    "password reset fails for 5%",
    "token bucket exhausted",
    "password resets: 5% fail",
    "tokens expired for all users",
    "the token expired at 14:02",
    "token: expired",
    "token: 401 for 5% of calls",
    "auth token refresh fails with 500s",
    "secret rotation of us-east-1 is done",
    "secret: us-east-1 has the old one",
    "rotated the secret in Vault",
    "password is expired for the service account",
    "password is wrong, says db1",
    "password was changed yesterday",
    "password hashing is slow: argon2id at 1500ms",
    "the password hash is argon2id",
    "password service is db1-primary",
    "password check was 1500ms",
    "password login is down in eu-west-1",
    "passwords are not affected",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 broke it",
    "reverted 9fceb02",
    "image sha256:4bc453b53cb3d914b45f4b250294236a",
    "trace id 4bf92f3577b34da6a3ce929d0e0e4736",
    "traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "request 550e8400-e29b-41d4-a716-446655440000 hangs",
    "trace_token=4bf92f3577b34da6a3ce929d0e0e4736",
    "next_page_token=CAUQAA is returned twice",
    "max_tokens=4096 is too small",
    "max_token=4096",
    "tokens=1280 per second",
    "token=null in the logs",
    "token=expired",
    "password=null",
    "password=***",
    "password=<redacted>",
    "password=$DB_PASSWORD",
    "token=${TOKEN}",
    "password={{ vault_password }}",
    "api_key=",
    "API key missing",
    "api key: v2 endpoint is used",
    "the API key of the partner is revoked",
    "key: users/1234 is hot",
    "cache key user:1234:profile is hot",
    "partition key=tenant_42 is skewed",
    "primary key violated on orders_2026",
    "public key pinning fails",
    "foreign key constraint fk_orders_users failed",
    "keyspace_misses:1234",
    "key=value pairs lost",
    "hotkey found: orders_2026",
    "pods api-7d4b9c6f5d-x2x9k and api-7d4b9c6f5d-z8z7q restart",
    "ip-10-0-12-34.eu-west-1.compute.internal is gone",
    "host aG9zdC0xMjM0.example.org does not answer",
    "s3://logs-prod/2026/03/12/part-0001.gz is missing",
    "https://grafana.example.org/d/abc123XYZ/api?from=1700000000",
    "https://user@git.example.org/app.git",
    "http://db1:5432/path@v2 gives 404",
    "git@github.com:example/app.git is unreachable",
    "postgres://scribe:***@db1/scribe",
    "ssh://git@host:22/app",
    "https://hooks.slack.com times out",
    "basic authentication is refused by ldap_service_2",
    "basic connectivity_check_42_failed",
    "bearer token missing",
    "Bearer authentication fails with 401",
    "curl -u admin https://db1 asks for it",
    "mysql -u root -p asks for it",
    "mysql -h db1 -P 3306",
    "PWD=/var/lib/scribe",
    "secret=db-credentials is not mounted",
    "credentials: prod-db-2 are stale",
    "sk-learn pipeline fails",
    "sk-SK locale broken since 14:02",
    "AIza quota",
    "xoxb tokens were revoked",
    "AKIA keys rotated",
    "-----BEGIN CERTIFICATE-----",
    "eyJ prefix in the header",
    "pass=12 fail=3",
    "passed=128 failed=2",
    "bypass=enabled12 on the proxy",
    "pass: 99.9%, fail: 0.1%",
    "checkout fails with error code E1234_TIMEOUT",
    "rolled back to v2.14.0-rc1+build5",
    "CVE-2026-12345 is patched",
    "SELECT * FROM tokens WHERE id=42",
    "the pin is stuck",
    "password reset e-mails are 20 min late",
    "token TTL is 3600s",
    "idempotency_token=9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d",
    "password policy is OAuth2-based",
    "kennwort abgelaufen",
)
"""What people write during an incident, and no secret."""


@pytest.mark.parametrize("words", SECRETS)
def test_a_secret_is_found(words: str) -> None:
    assert is_suspect(words)
    assert looks_secret(words)
    assert any(SECRETS[words] in found for found in secrets_in(words)), secrets_in(words)


@pytest.mark.parametrize("words", SECRETS)
def test_a_secret_is_found_within_other_words(words: str) -> None:
    sentence = f"(we saw it at 14:02) {words}\nand then restarted db1"
    assert any(SECRETS[words] in found for found in secrets_in(sentence)), secrets_in(sentence)


@pytest.mark.parametrize("words", TALK)
def test_ordinary_talk_is_none(words: str) -> None:
    assert secrets_in(words) == ()
    assert secrets_in(f"{words}.") == ()
    assert secrets_in(f"update: {words}, see INC-12") == ()


@QUICK
@given(TEXTS)
def test_any_words_are_looked_through(words: str) -> None:
    found = secrets_in(words)
    assert all(each in words for each in found)
    assert not found or is_suspect(words)
    assert looks_secret(words) is bool(found)
