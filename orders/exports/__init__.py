"""Orders on their way out in a file: CSV and PDF in bounded memory, and a record of who took what.

`columns` says what the CSV files hold, and `writing` makes them; `printing` makes PDF of
`orders.documents`; `recording` keeps the audit trail.
"""

from orders.exports.columns import COLUMNS, Column
from orders.exports.counting import MOST_COUNTED, Size, size
from orders.exports.printing import MOST_PRINTED, pdf_of, sheets
from orders.exports.recording import Running, TooManyExports, begin
from orders.exports.writing import Chunk, csv_of

__all__ = [
    "COLUMNS",
    "MOST_COUNTED",
    "MOST_PRINTED",
    "Chunk",
    "Column",
    "Running",
    "Size",
    "TooManyExports",
    "begin",
    "csv_of",
    "pdf_of",
    "sheets",
    "size",
]
