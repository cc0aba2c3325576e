"""Payroll: terms and year to date in, payslips and the amounts to post out."""
