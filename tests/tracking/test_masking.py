"""What is left of personal data on a page that whoever holds its link may see."""

import pytest

from orders.tracking import masking


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("john@example.com", "j•••@e•••.com"),
        ("jo@example.com", "•••@e•••.com"),
        ("j@example.com", "•••@e•••.com"),
        ("john@x.org", "j•••@•••.org"),
        ("john@xy.co", "j•••@•••.co"),
        ("john.doe+shop@mail.example.co.uk", "j•••@m•••.uk"),
        ('"john doe"@example.com', "•••@e•••.com"),
        ('"a@b"@example.com', "•••@e•••.com"),
        ("_john@example.com", "•••@e•••.com"),
        ("Ärger@exämple.de", "Ä•••@e•••.de"),
        ("A\u0308rger@example.de", "Ä•••@e•••.de"),
        ("q\u0323\u0307uiz@example.de", "q\u0323\u0307•••@e•••.de"),
        ("用户名字@例子测试.中国", "用•••@例•••.中国"),
        ("🙂🙂🙂@example.com", "•••@e•••.com"),
        ("john@xn--bcher-kva.xn--p1ai", "j•••@x•••.xn--p1ai"),
        ("john@[127.0.0.1]", "•••"),
        ("john@localhost", "•••"),
        ("john@example.com.", "•••"),
        ("john@example.c", "•••"),
        ("john@secret.name1", "•••"),
        ("john", "•••"),
        ("@example.com", "•••"),
        ("john@", "•••"),
        ("", "•••"),
        ("<script>@example.com", "•••@e•••.com"),
    ],
)
def test_email_shows_two_letters_and_the_end(address: str, shown: str) -> None:
    assert masking.email(address) == shown


def test_email_hides_how_long_it_is() -> None:
    assert masking.email("jane@example.com") == masking.email("j" * 60 + "@example.com")


@pytest.mark.parametrize(
    ("city", "shown"),
    [
        ("Springfield", "Springfield"),
        ("Ōsaka", "Ōsaka"),
        ("St. John's", "St. John's"),
        ("123 Main St, Springfield", "•••"),
        ("Paris 12e", "•••"),
        ("大阪٣", "•••"),
    ],
)
def test_city_is_shown_unless_more_than_a_town_was_typed(city: str, shown: str) -> None:
    assert masking.city(city) == shown
