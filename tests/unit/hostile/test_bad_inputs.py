"""Bad inputs: each one gets a clear error of the tree, and the page says which."""

import re

from tests.unit.hostile.bad_inputs import ALL, PAGE, page_with, table


async def test_the_page_shows_what_each_bad_input_gets() -> None:
    """To write the table anew: `python -m tests.unit.hostile.bad_inputs`."""
    assert PAGE.read_text() == page_with(await table())


async def test_no_bad_input_is_taken_but_for_its_good_part() -> None:
    """A list keeps what is right in it; everything else is refused, and no refusal is our own mistake."""
    rows = (await table()).splitlines()[2:]
    taken = [row for row in rows if "| taken as" in row]

    assert len(rows) == len(ALL) > 70
    assert [re.sub(r".*taken as", "", row) for row in taken] == [" `()` |", " `('ok',)` |"]
    assert not [row for row in rows if "`internal_error`" in row]
