"""Numbers that states give to people. A checksum decides; where it is weak, a word beside the number must agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from genaiops.cleansing.pii import checksums
from genaiops.cleansing.pii.spans import Span, named_before


@dataclass(frozen=True, slots=True)
class NationalId:
    """One kind of number. `written` is how it is written with its own separators; `bare` without them.

    `bare` counts only beside one of `names` (a pattern), and so does `written` where `weak`.
    """

    written: str
    bare: str
    names: str
    valid: Callable[[str], bool]
    weak: bool = False

    def finder(self) -> Callable[[str], Iterator[Span]]:
        """A function that finds them in a text."""
        either = re.compile(
            rf"(?<![\w.-])(?:(?P<written>{self.written})|(?P<bare>{self.bare}))(?![\w-]|\.\d)", re.ASCII
        )
        names = re.compile(self.names, re.IGNORECASE)
        keep_signs = self.valid is checksums.finnish_hetu  # its century is a sign

        def find(text: str) -> Iterator[Span]:
            for match in either.finditer(text):
                compact = match[0] if keep_signs else re.sub(r"[ ./+\u00a0-]", "", match[0])
                certain = match["written"] is not None and not self.weak
                if self.valid(compact) and (certain or named_before(text, match.start(), names)):
                    yield Span(match.start(), match.end())

        return find


def _australian(digits: str) -> bool:
    return len(digits) == 9 and checksums.australian_tfn(digits)


def _british_nino(text: str) -> bool:
    """Two letters, six digits and A to D; no checksum, but many prefixes were never given out."""
    return text[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


NATIONAL_IDS: Mapping[str, Callable[[str], Iterator[Span]]] = {
    name: kind.finder()
    for name, kind in {
        "us_ssn": NationalId(
            r"\d{3}-\d{2}-\d{4}|\d{3} \d{2} \d{4}",
            r"\d{9}",
            r"\bssn\b|social.security|\bitin\b",
            checksums.american_ssn,
        ),
        "uk_nino": NationalId(
            r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
            r"(?!)",
            r"national.insurance|\bnino\b",
            _british_nino,
        ),
        "uk_nhs": NationalId(
            r"\d{3}[ -]\d{3}[ -]\d{4}", r"\d{10}", r"\bnhs\b|health.service", checksums.british_nhs, weak=True
        ),
        "ca_sin": NationalId(
            r"\d{3}[ -]\d{3}[ -]\d{3}",
            r"\d{9}",
            r"\bsin\b|social.insurance|assurance.sociale",
            checksums.luhn,
            weak=True,
        ),
        "de_tax_id": NationalId(
            r"\d{2} \d{3} \d{3} \d{3}",
            r"\d{11}",
            r"steuer|\bidnr|tax.id|\btin\b",
            checksums.german_tax_id,
            weak=True,
        ),
        "fr_nir": NationalId(
            r"[1-478] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[ABab]) ?\d{3} ?\d{3} ?\d\d",
            r"(?!)",
            r"s[eé]curit[eé].sociale|\bnir\b|\binsee\b",
            checksums.french_nir,
        ),
        "es_dni": NationalId(
            r"[XYZ]-?\d{7}-?[A-Z]|\d{8}-?[A-HJ-NP-TV-Z]|\d{2}\.\d{3}\.\d{3}-?[A-HJ-NP-TV-Z]",
            r"(?!)",
            r"(?!)",
            checksums.spanish_dni,
        ),
        "it_fiscal_code": NationalId(
            r"[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
            r"(?!)",
            r"(?!)",
            checksums.italian_fiscal_code,
        ),
        "nl_bsn": NationalId(
            r"\d{4}\.\d{2}\.\d{3}|\d{3} \d{3} \d{3}",
            r"\d{9}",
            r"\bbsn\b|burgerservice|sofi.?nummer",
            checksums.dutch_bsn,
            weak=True,
        ),
        "se_personnummer": NationalId(
            r"(?:19|20)?\d{6}[-+]\d{4}",
            r"(?:19|20)?\d{10}",
            r"person.?nummer|samordnings",
            lambda digits: checksums.swedish_number(digits[-10:]),
        ),
        "fi_hetu": NationalId(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", r"(?!)", r"(?!)", checksums.finnish_hetu),
        "pl_pesel": NationalId(r"(?!)", r"\d{11}", r"\bpesel\b", checksums.polish_pesel),
        "be_number": NationalId(
            r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}",
            r"\d{11}",
            r"rijksregister|registre.national|national.(?:register|number)",
            checksums.belgian_number,
        ),
        "ch_ahv": NationalId(r"756\.\d{4}\.\d{4}\.\d{2}", r"756\d{10}", r"\bahv\b|\bavs\b", checksums.swiss_ahv),
        "br_cpf": NationalId(r"\d{3}\.\d{3}\.\d{3}-\d{2}", r"\d{11}", r"\bcpf\b", checksums.brazilian_cpf),
        "in_aadhaar": NationalId(
            r"[2-9]\d{3} \d{4} \d{4}|[2-9]\d{3}-\d{4}-\d{4}",
            r"[2-9]\d{11}",
            r"aadhaar|\buidai?\b|आधार",
            checksums.verhoeff,
            weak=True,
        ),
        "au_tfn": NationalId(
            r"\d{3} \d{3} \d{3}",
            r"\d{8,9}",
            r"\btfn\b|tax.file",
            _australian,
            weak=True,
        ),
    }.items()
}
