"""The dated files of figures: one a tax year, read once, each section naming its source.

A file is never edited for a new year: a year without a file is not supported.
"""

import json
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources

from pydantic import TypeAdapter

from shared.payroll.countries.gb.categories import NicCategory, Plan
from shared.payroll.countries.gb.figures import TaxYear
from shared.payroll.countries.gb.tax_periods import first_day, tax_year_of
from shared.payroll.refusals import TaxYearNotSupported

__all__ = ["NicCategory", "Plan", "TaxYear", "tables_for"]


def tables_for(pay_date: date) -> TaxYear:
    """The figures in force on a pay date.

    Raises:
        TaxYearNotSupported: no file covers it.
    """
    year = tax_year_of(pay_date)
    tables = _read(year)
    if not tables.valid_from <= pay_date <= tables.valid_to:
        raise TaxYearNotSupported(year)
    return tables


@cache
def _read(tax_year: str) -> TaxYear:
    file = resources.files(__package__).joinpath("data", f"{tax_year}.json")
    if not file.is_file():
        raise TaxYearNotSupported(tax_year)
    figures = json.loads(file.read_text("utf-8"), parse_float=Decimal)
    tables = TypeAdapter(TaxYear).validate_python(figures)
    if tables.tax_year != tax_year or tables.valid_from != first_day(tables.valid_to):
        message = f"the file of {tax_year} names another year"
        raise ValueError(message)
    return tables
