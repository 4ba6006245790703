"""What identifies a person is found by kind, and what only looks like it is left."""

from __future__ import annotations

import pytest

from genaiops.cleansing.pii import KINDS, checksums, redactor_for
from genaiops.cleansing.pii.national_ids import NATIONAL_IDS
from genaiops.cleansing.rewriting import Rewritten
from genaiops.cleansing.settings import PiiSettings
from genaiops.errors import ConfigurationError


def found(kind: str, text: str) -> list[str]:
    return [text[start:end] for start, end in KINDS[kind](text)]


def redacted(text: str, *kinds: str, **settings: object) -> str:
    redactor = redactor_for(kinds, PiiSettings(**settings))  # type: ignore[arg-type]
    return Rewritten(text).replace(redactor.replacements(text)).text


# The examples are those that the issuers print in their own documentation.
@pytest.mark.parametrize(
    ("check", "valid"),
    [
        (checksums.luhn, "4111111111111111"),
        (checksums.iban, "GB82WEST12345698765432"),
        (checksums.iban, "DE89370400440532013000"),
        (checksums.iban, "FR1420041010050500013M02606"),
        (checksums.verhoeff, "2363"),
        (checksums.german_tax_id, "86095742719"),
        (checksums.british_nhs, "9434765919"),
        (checksums.dutch_bsn, "111222333"),
        (checksums.polish_pesel, "44051401359"),
        (checksums.brazilian_cpf, "11144477735"),
        (checksums.spanish_dni, "12345678Z"),
        (checksums.spanish_dni, "X1234567L"),
        (checksums.italian_fiscal_code, "RSSMRA85T10A562S"),
        (checksums.french_nir, "255081416802538"),
        (checksums.finnish_hetu, "131052-308T"),
        (checksums.swedish_number, "8112189876"),
        (checksums.belgian_number, "85073003328"),
        (checksums.swiss_ahv, "7569217076985"),
        (checksums.australian_tfn, "123456782"),
        (checksums.american_ssn, "536904399"),
    ],
)
def test_a_published_example_passes_and_any_other_last_sign_fails(check: object, valid: str) -> None:
    assert callable(check)
    assert check(valid)
    if check is checksums.american_ssn:
        assert not check("000" + valid[3:])
        return
    signs = "0123456789" if valid[-1].isdigit() else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    others = [valid[:-1] + sign for sign in signs if sign != valid[-1]]
    assert sum(check(other) for other in others) == 0


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("email", "Write to ann.lee+news@mail.example.co.uk, please.", ["ann.lee+news@mail.example.co.uk"]),
        ("email", "<jörg@bücher.de> и почта@пример.рф", ["jörg@bücher.de", "почта@пример.рф"]),
        ("email", "联系ann@example.org谢谢", ["ann@example.org"]),
        ("email", "ann (at) example (dot) org", ["ann (at) example (dot) org"]),
        ("email", "git clone git@github.com:org/repo.git; use @decorator and a@b", []),
        ("phone", "Call +49 (0)30 1234567 or (212) 555-0187.", ["+49 (0)30 1234567", "(212) 555-0187"]),
        ("phone", "Tel.: 030 123 45 67; fax 01.84.17.61.18", ["030 123 45 67", "01.84.17.61.18"]),
        ("phone", "212-555-0187 x204", ["212-555-0187 x204"]),
        ("phone", "My number: 06 12 34 56 78", ["06 12 34 56 78"]),
        ("phone", "01 45 67 89 01 fax, 5550134 fax", ["01 45 67 89 01", "5550134"]),
        ("phone", "Paid on 15.03.2024 12 times, 06/12/2024, order 2024-0012-334", []),
        ("phone", "On 2024-03-15, 1 234 567 rows, 0.851 (0.805), version 10.15.7, ISBN 978-3-16-148410-0", []),
        ("phone", "It answered 0.9051234 of 1,234,567 calls", []),
        ("iban", "IBAN GB82 WEST 1234 5698 7654 32 is it", ["GB82 WEST 1234 5698 7654 32"]),
        ("iban", "de89370400440532013000", ["de89370400440532013000"]),
        ("iban", "GB82 WEST 1234 5698 7654 33", []),
        ("card", "4111 1111 1111 1111 and 378282246310005", ["4111 1111 1111 1111", "378282246310005"]),
        ("card", "my card 6759649826438453", ["6759649826438453"]),
        ("card", "4111 1111 1111 1112, 1700000000000, 1234567890123456", []),
        ("ip", "from 8.8.4.4 and 2001:4860:4860::8888", ["8.8.4.4", "2001:4860:4860::8888"]),
        ("ip", "127.0.0.1, 255.255.255.0, 10.0.0.0/16, version 1.2.3.4, 192.0.2.7, 12:30:45, ::1, 999.1.1.1", []),
        (
            "url",
            "See (https://example.org/a_(b)) or www.example.org.",
            ["https://example.org/a_(b)", "www.example.org"],
        ),
        ("driver_licence", "My driver's license number is F1628-2354", ["F1628-2354"]),
        ("passport", "Passport No. C01X00T47 expires", ["C01X00T47"]),
        ("us_ssn", "SSN 536-90-4399, not 000-12-3456 nor 666-12-3456", ["536-90-4399"]),
        ("us_ssn", "His social security number is 536904399.\n\nThe order is 536904399.", ["536904399"]),
        ("uk_nino", "QQ 12 34 56 C is no prefix, AB123456C is", ["AB123456C"]),
        ("uk_nhs", "NHS number 943 476 5919", ["943 476 5919"]),
        ("uk_nhs", "943 476 5919 items", []),
        ("es_dni", "DNI 12345678Z y 12345678A", ["12345678Z"]),
        ("br_cpf", "CPF 111.444.777-35", ["111.444.777-35"]),
        ("fi_hetu", "131052-308T", ["131052-308T"]),
        ("se_personnummer", "811218-9876", ["811218-9876"]),
        ("fr_nir", "2 55 08 14 168 025 38", ["2 55 08 14 168 025 38"]),
        ("ch_ahv", "AHV 756.9217.0769.85", ["756.9217.0769.85"]),
        ("pl_pesel", "PESEL 44051401359", ["44051401359"]),
        ("national_id", "DNI 12345678Z, SSN 536-90-4399", ["536-90-4399", "12345678Z"]),
        ("key", "digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"]),
        ("key", "a-long-name-of-some-kubernetes-resource-2024 ea306cce-c7fa-4a2b-89a6-bfefba6a9cf4", []),
    ],
)
def test_a_kind_is_found_and_its_look_alikes_are_not(kind: str, text: str, expected: list[str]) -> None:
    assert found(kind, text) == expected


def test_national_numbers_without_code_are_known_in_the_regions_given() -> None:
    assert redacted("Reception 2079460958.", "phone") == "Reception 2079460958."
    assert redacted("Reception 020 7946 0958.", "phone", regions=("GB",)) == "Reception [PHONE]."


def test_numbered_labels_are_the_same_for_the_same_value() -> None:
    text = "a@example.org, b@example.org, A@example.org; +49 30 1234567, +49301234567"
    expected = "[EMAIL_1], [EMAIL_2], [EMAIL_1]; [PHONE_1], [PHONE_1]"
    assert redacted(text, "phone", "email", replacement="numbered") == expected


def test_of_two_kinds_in_one_place_the_one_with_a_checksum_is_told() -> None:
    assert redacted("call 4111111111111111 now", "phone", "card") == "call [CARD] now"


def test_an_unknown_kind_is_refused_with_the_kinds_there_are() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'email'") as error:
        redactor_for(["emial"], PiiSettings())
    assert "iban" in error.value.remedy


def test_presidio_that_is_not_installed_is_said_before_anything_is_read() -> None:
    with pytest.raises(ConfigurationError, match="not installed"):
        redactor_for(["email"], PiiSettings(engine="presidio"))


def test_a_region_is_two_capital_letters() -> None:
    with pytest.raises(ValueError, match="two capital letters"):
        PiiSettings(regions=("gb",))


def test_every_national_id_is_a_kind_of_its_own() -> None:
    assert set(NATIONAL_IDS) < set(KINDS)
    assert len(NATIONAL_IDS) >= 15


def test_digits_of_an_account_or_a_card_are_no_telephone_number() -> None:
    text = "IBAN DE89 3704 0044 0532 0130 00, card 4111 1111 1111 1111, call +49 30 1234567."
    redactor = redactor_for(["phone"], PiiSettings())
    assert [text[found.start : found.end] for found in redactor.find(text)] == ["+49 30 1234567"]
