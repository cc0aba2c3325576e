"""United Kingdom: PAYE income tax, Class 1 National Insurance and student loans, per employment.

Not supported, and refused or left out by name: directors' annual earnings periods, pensions and
salary sacrifice, benefits, statutory payments, attachment orders, and irregular pay days.
"""
