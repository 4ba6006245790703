"""Check digits of the numbers that identify people, accounts and cards. Arguments are digits without separators."""

from __future__ import annotations

from collections.abc import Sequence

_IBAN_LENGTHS = {
    country: int(length)
    for country, length in (
        item.split(":")
        for item in """
        AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 DJ:27
        DK:18 DO:28 EE:20 EG:29 ES:24 FI:18 FK:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HN:28 HR:21 HU:28
        IE:22 IL:23 IQ:23 IS:26 IT:27 JO:30 KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 MD:24 ME:22
        MK:19 MN:20 MR:27 MT:31 MU:30 NI:28 NL:18 NO:15 OM:23 PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 RU:33 SA:24
        SC:31 SD:18 SE:24 SI:19 SK:24 SM:27 SO:23 ST:25 SV:28 TL:23 TN:24 TR:26 UA:29 VA:22 VG:24 XK:20 YE:30
        """.split()
    )
}  # ISO 13616, the registry of SWIFT

_VERHOEFF_TABLE = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_TURNS = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
_FISCAL_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                       (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
                        2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23), strict=True))  # fmt: skip


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1: cards, and the numbers of Canada (SIN) and Sweden."""
    doubled = [2 * int(digit) for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(n - 9 if n > 9 else n for n in doubled)) % 10 == 0


def iban(text: str) -> bool:
    """ISO 13616: the length of its country and the remainder 1 modulo 97 (ISO 7064)."""
    text = text.upper()
    if _IBAN_LENGTHS.get(text[:2]) != len(text) or not text[2:4].isdigit():
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def weighted(digits: str, weights: Sequence[int], modulus: int) -> int:
    """The sum of digits times weights, modulo `modulus`."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % modulus


def verhoeff(digits: str) -> bool:
    """Verhoeff 1969, as in the Aadhaar of India."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = int(_VERHOEFF_TABLE[check][int(_VERHOEFF_TURNS[place % 8][int(digit)])])
    return check == 0


def mod_11_10(digits: str) -> bool:
    """ISO 7064 MOD 11,10: the German tax id."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def german_tax_id(digits: str) -> bool:
    """Eleven digits of which one occurs twice or three times among the first ten (BZSt), MOD 11,10."""
    counts = sorted((digits[:10].count(digit) for digit in set(digits[:10])), reverse=True)
    return digits[0] != "0" and counts[0] in (2, 3) and counts[1:2] == [1] and mod_11_10(digits)


def british_nhs(digits: str) -> bool:
    """NHS number of England: weights 10 to 2, eleven minus the remainder."""
    check = (11 - weighted(digits, range(10, 1, -1), 11)) % 11
    return check != 10 and check == int(digits[9])


def dutch_bsn(digits: str) -> bool:
    """The eleven test: weights 9 to 2, the last digit −1."""
    return len(set(digits)) > 1 and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11) == 0


def polish_pesel(digits: str) -> bool:
    """Weights 1, 3, 7, 9; the first six digits are a date."""
    return weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10) == 0 and _day(digits[4:6]) and (
        1 <= int(digits[2:4]) % 20 <= 12
    )  # fmt: skip


def brazilian_cpf(digits: str) -> bool:
    """Two check digits, weights 10 to 2 and 11 to 2."""
    if len(set(digits)) == 1:
        return False
    first = weighted(digits, range(10, 1, -1), 11)
    second = weighted(digits, range(11, 1, -1), 11)
    return all(int(digits[at]) == (0 if rest < 2 else 11 - rest) for at, rest in ((9, first), (10, second)))


def spanish_dni(text: str) -> bool:
    """Eight digits (a NIE begins with X, Y or Z for 0, 1, 2) and the letter of their remainder modulo 23."""
    text = text.upper()
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == text[-1]


def italian_fiscal_code(text: str) -> bool:
    """Codice fiscale: values by odd and even place, the last letter is their sum modulo 26."""
    text = text.upper()
    total = sum(
        _FISCAL_ODD[sign] if place % 2 == 0 else int(sign) if sign.isdigit() else ord(sign) - ord("A")
        for place, sign in enumerate(text[:15])
    )
    return ord("A") + total % 26 == ord(text[15])


def french_nir(text: str) -> bool:
    """Numéro de sécurité sociale: 97 minus the remainder modulo 97; Corsica's A and B count as 19 and 18."""
    body = text[:13].upper().replace("2A", "19", 1).replace("2B", "18", 1)
    return 97 - int(body) % 97 == int(text[13:])


def finnish_hetu(text: str) -> bool:
    """DDMMYY, century sign, three digits, and the sign of the nine digits modulo 31."""
    number = int(text[:6] + text[7:10])
    return _day(text[:2]) and _month(text[2:4]) and "0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == text[10].upper()


def swedish_number(digits: str) -> bool:
    """Personnummer: YYMMDD (day + 60 for a samordningsnummer) and four digits, Luhn over the ten."""
    return _month(digits[2:4]) and (_day(digits[4:6]) or 61 <= int(digits[4:6]) <= 91) and luhn(digits)


def belgian_number(digits: str) -> bool:
    """Rijksregisternummer: 97 minus the first nine digits modulo 97, with a 2 in front for births since 2000."""
    return any(97 - int(century + digits[:9]) % 97 == int(digits[9:]) for century in ("", "2"))


def swiss_ahv(digits: str) -> bool:
    """756 and the EAN-13 check digit."""
    return digits.startswith("756") and weighted(digits, (1, 3) * 6 + (1,), 10) == 0


def australian_tfn(digits: str) -> bool:
    """Tax file number: weights 1, 4, 3, 7, 5, 8, 6, 9, 10 give 0 modulo 11."""
    return weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10), 11) == 0


def american_ssn(digits: str) -> bool:
    """No check digit: the areas 000, 666 and 900–999, group 00 and serial 0000 were never given out."""
    return digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def _day(text: str) -> bool:
    return 1 <= int(text) <= 31


def _month(text: str) -> bool:
    return 1 <= int(text) <= 12
