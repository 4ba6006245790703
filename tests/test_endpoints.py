"""What of an address must not be shown, and what is no secret although it looks alike."""

from __future__ import annotations

import pytest

from genaiops.endpoints import is_jdbc, secrets_in

SECRET = "9fd2-tr0ub4dor"


@pytest.mark.parametrize(
    "address",
    [
        f"jdbc:postgresql://me:{SECRET}@host/db",
        f"JDBC:PostgreSQL://me:{SECRET}@host:5432/db?ssl=true",
        f"jdbc:postgresql://host/db?user=me&password={SECRET}",
        f"jdbc:postgresql://host/db?user=me&sslpassword={SECRET}&ssl=true",
        f"jdbc:mysql:loadbalance://me:{SECRET}@one:3306,two:3306/db",
        f"jdbc:mysql://(host=one,port=3306,user=me,password={SECRET})/db",
        f"jdbc:mysql://address=(host=one)(user=me)(password={SECRET})/db",
        f"jdbc:sqlserver://host:1433;databaseName=db;user=sa;password={SECRET};encrypt=true",
        f"jdbc:sqlserver://host;password={{{SECRET}}}",
        f"jdbc:sqlserver://me@host;trustStorePassword={SECRET}",
        f"jdbc:db2://host:50000/db:user=me;password={SECRET};",
        f"jdbc:h2:mem:test;USER=sa;PASSWORD={SECRET}",
        f"jdbc:oracle:thin:me/{SECRET}@host:1521:orcl",
        f'jdbc:oracle:thin:me/"{SECRET}"@//host:1521/orcl',
        f"jdbc:databricks://host:443;AuthMech=3;UID=token;PWD={SECRET}",
        f"jdbc:snowflake://account.example.org/?user=me&password={SECRET}",
        f"jdbc:redshift:iam://host/db?AccessKeyID=me&SecretAccessKey={SECRET}",
        f"jdbc:snowflake://account.example.org/?user=me&passcode={SECRET}&passcodeInPassword=false",
        f"jdbc:teradata://host/TMODE=ANSI,PASSWORD={SECRET},CHARSET=UTF8",
        f"jdbc:teradata://host/PASSWORD={SECRET}",
    ],
)
def test_the_secret_of_a_jdbc_address_is_found_whole(address: str) -> None:
    assert SECRET in secrets_in(address)
    assert not {"me", "sa", "host", "db", "orcl", "true", "one", "token"} & set(secrets_in(address))


def test_a_secret_of_a_jdbc_address_is_found_as_it_is_written_and_decoded() -> None:
    assert {"a%40b%2Fc", "a@b/c"} <= set(secrets_in("jdbc:postgresql://host/db?password=a%40b%2Fc"))
    assert "pa;ss" in secrets_in("jdbc:postgresql://me:pa;ss@host/db")
    assert "p@ss" in secrets_in("jdbc:sqlserver://host:1433;user=sa;password=p@ss")


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("jdbc:postgresql://host/db?user=me&password=Secr3t,Pass99", "Secr3t,Pass99"),
        ("jdbc:postgresql://host/db?password=Secr3t)Pass99&ssl=true", "Secr3t)Pass99"),
        ("jdbc:h2:mem:x;PASSWORD=a}b{c,d;USER=sa", "a}b{c,d"),
        ("jdbc:sqlserver://host;user=sa;password={ab}}cdef};encrypt=true", "ab}}cdef"),
        ("jdbc:sqlserver://host;user=sa;password={ab}}cdef};encrypt=true", "ab}cdef"),
        ("jdbc:sqlserver://host;user=sa;password={a;b=c};encrypt=true", "a;b=c"),
        ("jdbc:mysql://u:p;wordlong@h/db?token=abcdef", "p;wordlong"),
        ("jdbc:mysql://u:p;wordlong@h/db?token=abcdef", "abcdef"),
        ("jdbc:mysql://(host=one,password=Secr3t),(host=two)/db?user=me", "Secr3t"),
    ],
)
def test_a_secret_ends_where_the_driver_ends_it(address: str, secret: str) -> None:
    assert secret in secrets_in(address)


@pytest.mark.parametrize(
    "text",
    [
        "jdbc",
        "jdbc:",
        "jdbc: password=open",
        "jdbc:postgresql",
        "jdbc:postgresql: password=open",
        "JDBC drivers: user=me;password=open",
        "the driver reads jdbc:postgresql://me:open@host/db",
        "odbc:postgresql://me",
        "jdbc:postgresql://host/db",
        "jdbc:postgresql://host:5432/db?user=me&ssl=true",
        "jdbc:postgresql://[::1]:5432/db",
        "jdbc:postgresql://me@host/db",
        "jdbc:sqlite:folder/notes.db",
        "jdbc:h2:file:~/notes;IFEXISTS=TRUE",
        "jdbc:oracle:thin:@host:1521:orcl",
        "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(HOST=h)(PORT=1521))(CONNECT_DATA=(SID=orcl)))",
        "jdbc:oracle:thin:/@alias",
        "jdbc:mysql://host/db?passwordCharacterEncoding=utf8&allowPublicKeyRetrieval=true",
        "jdbc:postgresql://host/db?sslpasswordcallback=org.example.Ask&compass=north",
        "jdbc:snowflake://account.example.org/?user=me&passcodeInPassword=true",
        "jdbc:sqlserver://host:1433;databaseName=db;user=me@host;encrypt=true",
        "jdbc:sqlserver://host;accessTokenCallbackClass=org.example.Tokens",
    ],
)
def test_what_looks_alike_holds_no_secret(text: str) -> None:
    assert secrets_in(text) == ()


def test_only_a_kind_of_database_makes_a_jdbc_address() -> None:
    assert is_jdbc("jdbc:h2:mem:x") and is_jdbc("JDBC:mysql://host")
    assert not is_jdbc("jdbc:h2") and not is_jdbc("postgresql://host") and not is_jdbc("jdbc:note: a remark")
