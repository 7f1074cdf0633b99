"""Secrets: found by name, refused when open to others, never shown."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from contracts.pool import StreamRef
from contracts.redact import RedactingFormatter, redact, register_secret
from store.secrets import Credentials, Secrets, variable_name, with_credentials


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secrets.yaml"
    path.write_text('vendor-a: "admin:s3cret:with@odd/signs"\nvendor-b: {user: op, password: "12345"}\n')
    path.chmod(0o600)
    return path


def test_both_ways_of_writing(file: Path) -> None:
    secrets = Secrets(file, {})
    assert secrets.resolve("vendor-a") == Credentials("admin", "s3cret:with@odd/signs")
    assert secrets.resolve("vendor-b") == Credentials("op", "12345")


def test_the_environment_goes_first(file: Path) -> None:
    secrets = Secrets(file, {"CITYVISION_SECRET_VENDOR_A": "root:from-env"})
    assert variable_name("vendor-a") == "CITYVISION_SECRET_VENDOR_A"
    assert secrets.resolve("vendor-a") == Credentials("root", "from-env")


def test_hosts_stand_beside_them(file: Path) -> None:
    file.write_text("mq: {user: op, password: p-4711, hosts: [MQ.city.cn, 10.1.2.3]}\n")
    assert Secrets(file, {}).resolve("mq").hosts == {"mq.city.cn", "10.1.2.3"}
    environment = {"CITYVISION_SECRET_MQ": "op:p-4711", "CITYVISION_SECRET_MQ_HOSTS": "mq.city.cn, 10.1.2.3"}
    assert Secrets(None, environment).resolve("mq").hosts == {"mq.city.cn", "10.1.2.3"}
    assert Secrets(None, {"CITYVISION_SECRET_MQ": "op:p-4711"}).resolve("mq").hosts == frozenset()
    file.write_text("mq: {user: op, password: p-4711, hosts: mq.city.cn}\n")
    with pytest.raises(ConfigError, match="hosts of mq are no list"):
        Secrets(file, {}).resolve("mq")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_open_to_others_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {file}"):
        Secrets(file, {}).resolve("vendor-a")


def test_an_edit_counts_from_the_next_call(file: Path) -> None:
    secrets = Secrets(file, {})
    secrets.resolve("vendor-a")
    file.write_text('vendor-a: "admin:another-one"\n')
    assert secrets.resolve("vendor-a").password == "another-one"
    file.chmod(0o644)
    file.write_text('vendor-a: "admin:a-third"\n')
    with pytest.raises(ConfigError, match="chmod 600"):
        secrets.resolve("vendor-a")


@pytest.mark.parametrize(
    "text",
    [
        "vendor-a: [hunter22\n",
        "vendor-a: [hunter22]\n",
        "- hunter22\n",
        "Vendor hunter22: a:b\n",
        "vendor-a: hunter22\n",
        "vendor-a: {user: hunter22}\n",
        '"vendor-a: hunter22\n',
    ],
)
def test_a_broken_file_is_refused_without_its_content(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        Secrets(file, {}).resolve("vendor-a")
    assert "hunter22" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.fix


def test_an_unknown_name_says_where_to_put_it(file: Path) -> None:
    with pytest.raises(ConfigError, match="CITYVISION_SECRET_VENDOR_C"):
        Secrets(file, {}).resolve("vendor-c")
    with pytest.raises(ConfigError, match="secrets file"):
        Secrets(None, {}).resolve("vendor-c")
    with pytest.raises(ConfigError, match="no secrets file"):
        Secrets(file.with_name("none.yaml"), {}).resolve("vendor-c")


def test_addresses() -> None:
    secrets = Secrets(None, {"CITYVISION_SECRET_A": "ad min:p@ss/w:d"})
    plain = StreamRef(url="rtsp://10.0.0.8:554/main?x=1", credentials="a")
    assert secrets.address(plain) == "rtsp://ad%20min:p%40ss%2Fw%3Ad@10.0.0.8:554/main?x=1"
    placed = StreamRef(url="rtsp://h/user={user}&password={password}&channel=1", credentials="a")
    assert secrets.address(placed) == "rtsp://h/user=ad%20min&password=p%40ss%2Fw%3Ad&channel=1"
    assert secrets.address(StreamRef(url="file:///a.mp4")) == "file:///a.mp4"


def test_credentials_do_not_show() -> None:
    assert "hunter22" not in repr(Credentials("hunter22", "hunter22"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("open rtsp://admin:hunter22@10.0.0.8:554/main failed", "open rtsp://***@10.0.0.8:554/main failed"),
        ("rtsp://admin:hunter/22@10.0.0.8/main", "rtsp://***@10.0.0.8/main"),
        ("rtsp://admin:hun?ter#22@10.0.0.8/main", "rtsp://***@10.0.0.8/main"),
        ("rtsp://admin:hun@ter22@10.0.0.8/main", "rtsp://***@10.0.0.8/main"),
        ("rtsp://token22@10.0.0.8/main", "rtsp://***@10.0.0.8/main"),
        ("rtsp://h/user=admin&password=hunter22&channel=1", "rtsp://h/user=***&password=***&channel=1"),
        ("rtsp://10.0.0.8:554/main@2x", "rtsp://10.0.0.8:554/main@2x"),
        ("mail me@city.example about rtsp://h/m", "mail me@city.example about rtsp://h/m"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_redact(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(redact(text)) == redact(text)


@given(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=12),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=4, max_size=16),
)
def test_a_resolved_password_never_passes(user: str, password: str) -> None:
    register_secret(password)
    address = with_credentials("rtsp://10.0.0.8:554/main", Credentials(user, password))
    assert password not in redact(f"cannot open {address}: 401 (password {password})").replace("***", "")


def test_log_lines_and_tracebacks_are_redacted() -> None:
    formatter = RedactingFormatter("%(message)s")
    try:
        raise OSError("rtsp://admin:hunter22@h/m")
    except OSError as error:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed: %s", ("rtsp://a:hunter22@h/m",), None)
        record.exc_info = (type(error), error, error.__traceback__)
    text = formatter.format(record)
    assert "hunter22" not in text
    assert "Traceback" in text
