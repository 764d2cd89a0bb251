"""Orders on their way out in a file: CSV in bounded memory, and a record of who took what.

`columns` says what the files hold, `writing` makes them, `recording` keeps the audit trail.
"""

from orders.exports.columns import COLUMNS, Column
from orders.exports.counting import MOST_COUNTED, Size, size
from orders.exports.recording import Running, TooManyExports, begin
from orders.exports.writing import Chunk, csv_of

__all__ = [
    "COLUMNS",
    "MOST_COUNTED",
    "Chunk",
    "Column",
    "Running",
    "Size",
    "TooManyExports",
    "begin",
    "csv_of",
    "size",
]
